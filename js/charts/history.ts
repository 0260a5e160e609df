/**
 * The history of one run as a page holds it: every series, and who wants to know of changes.
 *
 * Knows nothing of drawing or of where points come from. Listeners are told after each change; who
 * draws waits for the next animation frame.
 */

import type { Frame, JsonNumber, SampledMetric, SampledSeries } from "../api";
import { type Bucket, Series } from "./series";

function numberOf(value: JsonNumber | null | undefined): number {
  return value === null || value === undefined ? Number.NaN : Number(value);
}

function* bucketsOf(metric: SampledMetric, onX: boolean): Generator<Bucket> {
  for (let i = 0; i < metric.step.length; i++) {
    const [first, last] = [numberOf(metric.first[i]), numberOf(metric.last[i])];
    const [low, high] = [numberOf(metric.min[i]), numberOf(metric.max[i])];
    const value = [last, first, low, high].find(Number.isFinite) ?? last;
    const step = onX ? numberOf(metric.x[i]) : (metric.step[i] ?? 0);
    yield { step, time: metric.time[i] ?? 0, count: metric.count[i] ?? 1, low, high, value };
  }
}

/** Return a series as a server reduced it; with `onX` its steps are places on the x that was asked for. */
export function seriesOf(name: string, metric: SampledMetric, onX = false): Series {
  const series = new Series(name);
  series.appendBuckets(bucketsOf(metric, onX));
  return series;
}

export class History {
  #series = new Map<string, Series>();
  readonly #listeners = new Set<() => void>();
  #version = 0;

  /** By name, in order of first arrival. */
  get series(): ReadonlyMap<string, Series> {
    return this.#series;
  }

  /** Grows with each change. */
  get version(): number {
    return this.#version;
  }

  /** Points in all series. */
  get points(): number {
    let sum = 0;
    for (const series of this.#series.values()) sum += series.total;
    return sum;
  }

  /** Add rows in order of arrival. */
  append(frames: Iterable<Frame>): void {
    this.#read(frames);
    this.#changed();
  }

  /** Forget what was there and hold these rows. */
  replace(frames: Iterable<Frame>): void {
    this.#series = new Map();
    this.append(frames);
  }

  /** Forget what was there and hold a server's reduced series. */
  replaceSampled(sampled: SampledSeries): void {
    this.#series = new Map();
    for (const [name, metric] of Object.entries(sampled.metrics)) this.#series.set(name, seriesOf(name, metric));
    this.#changed();
  }

  /** Call `listener` after each change; returns what ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #read(frames: Iterable<Frame>): void {
    for (const { names, steps, times, columns } of frames) {
      for (const [i, name] of names.entries()) this.#named(name).append(steps, times, columns[i] as Float64Array);
    }
  }

  #named(name: string): Series {
    const held = this.#series.get(name);
    if (held) return held;
    const series = new Series(name);
    this.#series.set(name, series);
    return series;
  }

  #changed(): void {
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}

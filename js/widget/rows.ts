/**
 * The rows that a page has received, as they came, for downloads. Pure.
 *
 * Invariant: either every row is held, or `complete` is false; memory is bounded, the newest rows are kept.
 */

import type { Frame } from "../api";
import { csvOfFrames, isoTime, numberText } from "../charts/csv";

const MOST_BYTES = 48 * 2 ** 20;

export class Rows {
  #frames: Frame[] = [];
  #bytes = 0;
  #complete: boolean;
  readonly #mostBytes: number;

  /** `complete`: whether what comes is all there is. `mostBytes` of rows are held. */
  constructor(complete = true, mostBytes = MOST_BYTES) {
    this.#complete = complete;
    this.#mostBytes = mostBytes;
  }

  /** Whether every row is here. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Some rows did not come. */
  lose(): void {
    this.#complete = false;
  }

  append(frames: readonly Frame[]): void {
    for (const frame of frames) {
      this.#frames.push(frame);
      this.#bytes += sizeOf(frame);
    }
    while (this.#bytes > this.#mostBytes) {
      this.#complete = false;
      this.#bytes -= sizeOf(this.#frames.shift() as Frame);
    }
  }

  /** In order of arrival. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** As CSV: step, time, and a column for each metric. */
  toCsv(): string {
    return csvOfFrames(this.#frames);
  }

  /** Series by metric, as plain lists; NaN and ±Infinity are text. */
  toSeries(): Record<string, { step: number[]; time: string[]; value: (number | string)[] }> {
    const series = new Map<string, { step: number[]; time: string[]; value: (number | string)[] }>();
    for (const { names, steps, times, columns } of this.#frames) {
      const when = Array.from(times, isoTime);
      for (const [i, name] of names.entries()) {
        const one = series.get(name) ?? { step: [], time: [], value: [] };
        series.set(name, one);
        for (let row = 0; row < steps.length; row++) {
          const value = columns[i]?.[row] as number;
          one.step.push(steps[row] as number);
          one.time.push(when[row] as string);
          one.value.push(Number.isFinite(value) ? value : numberText(value));
        }
      }
    }
    return Object.fromEntries(series);
  }
}

function sizeOf(frame: Frame): number {
  return 8 * frame.steps.length * (frame.columns.length + 2);
}

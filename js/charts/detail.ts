/**
 * Finer points of the stretch that a reader looks at, asked for when the page's own are too coarse for it.
 *
 * Charts say what they want while they are drawn; a moment later one question is asked for all of them together.
 * Invariants: of two questions only the newer is answered; until it is, what was there stays; nothing is asked for
 * while the reader still moves.
 */

import type { Range } from "./lines";
import type { XAxis } from "./options";
import type { Series } from "./series";
import { holds } from "./shown";

export interface DetailQuery {
  readonly metrics: readonly string[];
  readonly x: XAxis;
  /** In the unit of x; null for all. */
  readonly range: Range | null;
  /** Where relative time begins, in seconds since the Unix epoch. */
  readonly start: number;
}

/** Series by metric. Where x is a metric, their steps are places on it. */
export type DetailAnswer = ReadonlyMap<string, Series>;

/** Null where there is nothing finer, or nobody to ask. */
export type DetailSource = (query: DetailQuery, signal: AbortSignal) => Promise<DetailAnswer | null>;

export interface Looked {
  readonly x: XAxis;
  readonly zoom: Range | null;
  readonly start: number;
}

type Held = { readonly looked: Looked; readonly series: DetailAnswer; readonly asked: ReadonlyMap<string, number> };
type Timers = { set(act: () => void, ms: number): unknown; clear(timer: unknown): void };

/** A reader who moves on within this time is not waited for. */
const PAUSE_MS = 140;
/** How often the newest stretch is read again while points arrive. */
const AGAIN_MS = 2_000;
/** More is asked for on either side, in widths of what is shown, so that a small movement needs no question. */
const MARGIN = 0.5;

const TIMERS: Timers = {
  set: (act, ms) => setTimeout(act, ms),
  clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

export class Detail {
  readonly #source: DetailSource;
  readonly #timers: Timers;
  readonly #listeners = new Set<() => void>();
  #looked: Looked = { x: "step", zoom: null, start: 0 };
  /** Metrics that are wanted for what is looked at, and how many points they had then. */
  readonly #wanted = new Map<string, number>();
  #held: Held | null = null;
  #timer: unknown = null;
  #asking: AbortController | null = null;
  #version = 0;

  constructor(source: DetailSource, timers: Timers = TIMERS) {
    this.#source = source;
    this.#timers = timers;
  }

  /** Grows with each answer. */
  get version(): number {
    return this.#version;
  }

  /** Call `listener` after each answer; returns what ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The reader looks at this now. */
  look(looked: Looked): void {
    const { x, zoom, start } = this.#looked;
    if (
      looked.x === x &&
      looked.start === start &&
      looked.zoom?.low === zoom?.low &&
      looked.zoom?.high === zoom?.high
    ) {
      return;
    }
    this.#looked = looked;
    this.#wanted.clear();
    this.#drop();
    if (this.#held?.looked.x !== looked.x) this.#held = null;
  }

  /** A chart shows `metric`, of which the page has `total` points; `ends`: it shows the newest ones. */
  want(metric: string, total: number, ends: boolean): void {
    const before = this.#asked(metric);
    if (before !== undefined && (!ends || before >= total)) return;
    if (this.#wanted.get(metric) === total) return;
    this.#wanted.set(metric, total);
    // What is on its way is not asked for again because of a few points more.
    if (this.#asking || this.#timer !== null) return;
    this.#timer = this.#timers.set(() => this.#ask(), before === undefined ? PAUSE_MS : AGAIN_MS);
  }

  /** Return the finest points of a metric that hold all that is looked at; null: the page's own. */
  get(metric: string): Series | null {
    const held = this.#covers() ? this.#held : null;
    return held?.series.get(metric) ?? null;
  }

  /** Forget what is under way. */
  stop(): void {
    this.#drop();
  }

  #covers(): boolean {
    const { x, zoom, start } = this.#looked;
    const of = this.#held?.looked;
    return of !== undefined && of.x === x && of.start === start && holds(of.zoom, zoom);
  }

  /** How many points of a metric there were when what is held was asked for, if that will do for what is looked at. */
  #asked(metric: string): number | undefined {
    if (!this.#held || !this.#covers()) return undefined;
    const [wide, seen] = [this.#held.looked.zoom, this.#looked.zoom];
    // Found fine enough: no more than what was asked for beside it.
    const coarse =
      seen !== null && (wide === null || wide.high - wide.low > 2 * (1 + 2 * MARGIN) * (seen.high - seen.low));
    return coarse ? undefined : this.#held.asked.get(metric);
  }

  #drop(): void {
    this.#timers.clear(this.#timer);
    this.#timer = null;
    this.#asking?.abort();
    this.#asking = null;
  }

  async #ask(): Promise<void> {
    this.#timer = null;
    const asking = new AbortController();
    this.#asking = asking;
    const { x, zoom, start } = this.#looked;
    const width = zoom === null ? 0 : zoom.high - zoom.low;
    const range = zoom && { low: zoom.low - MARGIN * width, high: zoom.high + MARGIN * width };
    const asked = new Map(this.#wanted);
    const series = await this.#source({ metrics: [...asked.keys()], x, range, start }, asking.signal);
    if (asking.signal.aborted) return;
    this.#asking = null;
    this.#wanted.clear();
    this.#held = { looked: { x, zoom: range, start }, asked, series: series ?? new Map() };
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}

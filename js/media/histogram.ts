/** Histograms over steps: reading, keeping a bounded number of them, and scaling them to one heat map. Pure. */

import { isNumbers, objectIn } from "./reading";

export interface Histogram {
  readonly edges: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
}

export interface Column extends Histogram {
  readonly step: number;
}

/** Return the histogram in a content, or null where there is none. */
export function histogramIn(text: string): Histogram | null {
  const { edges, counts } = objectIn(text) ?? {};
  if (!isNumbers(edges) || !isNumbers(counts) || !counts.length || edges.length !== counts.length + 1) return null;
  return { edges, counts };
}

/** Return how many values a histogram counted. */
export function totalOf({ counts }: Histogram): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] as number;
  return total;
}

export interface Span {
  readonly low: number;
  readonly high: number;
}

/** Beyond this a difference of two numbers may be no number any more. */
const FAREST = Number.MAX_VALUE / 4;

/** Return from where to where histograms reach; a single value gets some room around it. */
export function spanOf(histograms: readonly Histogram[]): Span {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { edges } of histograms) {
    low = Math.min(low, Math.max(-FAREST, edges[0] as number));
    high = Math.max(high, Math.min(FAREST, edges[edges.length - 1] as number));
  }
  if (low < high) return { low, high };
  if (low > high) return { low: 0, high: 1 };
  const room = Math.abs(low) / 2 || 0.5;
  return { low: low - room, high: high + room };
}

/** Return the counts in `rows` equal bins over a span; values are taken to lie evenly within their own bin. */
export function rebinned({ edges, counts }: Histogram, { low, high }: Span, rows: number): Float64Array {
  const made = new Float64Array(rows);
  const height = (high - low) / rows;
  const rowOf = (value: number) => Math.min(rows - 1, Math.max(0, Math.floor((value - low) / height)));
  for (let i = 0; i < counts.length; i++) {
    const [from, to, count] = [edges[i] as number, edges[i + 1] as number, counts[i] as number];
    if (!count) continue;
    const [first, last] = [rowOf(from), rowOf(to)];
    if (first === last || to <= from) {
      made[first] = (made[first] as number) + count;
      continue;
    }
    const shareOf = (row: number) =>
      Math.max(0, Math.min(to, low + (row + 1) * height) - Math.max(from, low + row * height));
    let whole = 0;
    for (let row = first; row <= last; row++) whole += shareOf(row);
    // Edges that only the last digit tells apart leave nothing to share out.
    if (!whole) made[first] = (made[first] as number) + count;
    else for (let row = first; row <= last; row++) made[row] = (made[row] as number) + (count * shareOf(row)) / whole;
  }
  return made;
}

export interface Heat extends Span {
  readonly rows: number;
  /** For each column its rows, lowest values first: 0 for none … 1 for the fullest row of all columns. */
  readonly shades: readonly Float64Array[];
}

/**
 * Return how dark each field of a heat map is.
 *
 * Each column is taken in shares of its own total, so that steps with more values do not outshine the others; the root
 * lets small shares be seen.
 */
export function heatOf(columns: readonly Histogram[], rows: number): Heat {
  const span = spanOf(columns);
  const shares = columns.map((column) => {
    const total = totalOf(column) || 1;
    return rebinned(column, span, rows).map((count) => count / total);
  });
  const most = Math.max(0, ...shares.map((column) => Math.max(...column))) || 1;
  return { ...span, rows, shades: shares.map((column) => column.map((share) => Math.sqrt(share / most))) };
}

/** Return the bin that holds a value; null outside. */
export function binAt({ edges, counts }: Histogram, value: number): number | null {
  for (let i = 0; i < counts.length; i++) {
    const last = i === counts.length - 1;
    if (value >= (edges[i] as number) && (value < (edges[i + 1] as number) || (last && value === edges[i + 1])))
      return i;
  }
  return null;
}

/** So many bins of each column are kept for the map; the one that is looked at has all of its own. */
const KEPT_BINS = 64;

function coarse(histogram: Histogram): Histogram {
  const { edges, counts } = histogram;
  if (counts.length <= KEPT_BINS) return { edges: Float64Array.from(edges), counts: Float32Array.from(counts) };
  const span = spanOf([histogram]);
  const height = (span.high - span.low) / KEPT_BINS;
  return {
    edges: Float64Array.from({ length: KEPT_BINS + 1 }, (_, i) => span.low + i * height),
    counts: Float32Array.from(rebinned(histogram, span, KEPT_BINS)),
  };
}

/**
 * The columns of one heat map: evenly thinned out as they become many, the newest always among them.
 *
 * They come in order of arrival; a step that comes again takes the place of the one before.
 */
export class Track {
  readonly #most: number;
  #kept: Column[] = [];
  #newest: Column | null = null;
  #stride = 1;
  #count = 0;

  constructor(most = 240) {
    this.#most = most;
  }

  /** Of how many steps one is kept. */
  get stride(): number {
    return this.#stride;
  }

  /** By step. */
  get columns(): readonly Column[] {
    const byStep = new Map(this.#kept.map((column) => [column.step, column]));
    if (this.#newest) byStep.set(this.#newest.step, this.#newest);
    return [...byStep.values()].sort((a, b) => a.step - b.step);
  }

  push(step: number, histogram: Histogram): void {
    const column = { step, ...coarse(histogram) };
    this.#newest = column;
    if (this.#count++ % this.#stride) return;
    this.#kept.push(column);
    if (this.#kept.length <= this.#most) return;
    this.#kept = this.#kept.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }
}

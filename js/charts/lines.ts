/**
 * From series to what is drawn: lines in the units of the axes, and the range they take. Pure.
 */

import { isNoisy, type Sequence, smooth } from "./ema";
import type { ChartOptions, XAxis } from "./options";
import type { Columns, Mark, Series } from "./series";

export interface Line {
  /** Place in the chart, and so in the palette. */
  readonly index: number;
  readonly metric: string;
  readonly label: string;
  readonly length: number;
  /** Rising. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Null where the points themselves are the line to look at. */
  readonly smoothed: Float64Array | null;
  /** Null where every point is drawn as it is. */
  readonly band: { readonly low: Float64Array; readonly high: Float64Array } | null;
  /** Above 0: points without a number stood before this one, so no line leads to it. */
  readonly gap: Float64Array;
  readonly marks: readonly { readonly x: number; readonly kind: Mark["kind"]; readonly count: number }[];
  readonly end: { readonly x: number; readonly y: number } | null;
}

export interface Range {
  readonly low: number;
  readonly high: number;
}

type Placed = { readonly step: number; readonly time: number };

function placer(x: XAxis, start: number): (point: Placed) => number {
  if (x === "step") return ({ step }) => step;
  return x === "wall" ? ({ time }) => time : ({ time }) => time - start;
}

function positions(columns: Columns, x: XAxis, start: number): Float64Array {
  if (x === "step") return columns.step;
  return x === "wall" ? columns.time : columns.time.map((time) => time - start);
}

function rises(x: Float64Array): boolean {
  for (let i = 1; i < x.length; i++) if ((x[i] as number) < (x[i - 1] as number)) return false;
  return true;
}

/** Clocks go back and steps are logged late: in order of time, entries may have to be put in order first. */
function inOrder(line: Line): Line {
  if (rises(line.x)) return line;
  const order = Array.from(line.x, (_, i) => i).sort((a, b) => (line.x[a] as number) - (line.x[b] as number) || a - b);
  const sorted = (column: Float64Array) => Float64Array.from(order, (i) => column[i] as number);
  return {
    ...line,
    x: sorted(line.x),
    y: sorted(line.y),
    smoothed: line.smoothed && sorted(line.smoothed),
    band: line.band && { low: sorted(line.band.low), high: sorted(line.band.high) },
    gap: sorted(line.gap),
  };
}

/** `start` is where relative time begins, in seconds since the Unix epoch. */
export function lineOf(
  series: Series,
  shown: { readonly index: number; readonly label: string },
  options: Pick<ChartOptions, "smoothing" | "x">,
  start: number,
): Line {
  const columns = series.columns();
  const place = placer(options.x, start);
  const sequence: Sequence = { length: columns.length, x: columns.step, value: columns.value, weight: columns.count };
  const smoothed = options.smoothing > 0 && isNoisy(sequence) ? smooth(sequence, options.smoothing) : null;
  const tail = series.tail;
  const endY = smoothed?.at(-1) ?? tail?.value;
  return inOrder({
    ...shown,
    metric: series.name,
    length: columns.length,
    x: positions(columns, options.x, start),
    y: columns.value,
    smoothed,
    band: series.thinned ? { low: columns.low, high: columns.high } : null,
    gap: columns.gap,
    marks: series.marks.map((mark) => ({ x: place(mark), kind: mark.kind, count: mark.count })),
    end: tail && endY !== undefined ? { x: place(tail), y: endY } : null,
  });
}

/** Index of the entry whose x is nearest to `x`; -1 where there is none. */
export function nearest(line: Pick<Line, "x" | "length">, x: number): number {
  if (!line.length) return -1;
  let [low, high] = [0, line.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((line.x[middle] as number) <= x) low = middle;
    else high = middle;
  }
  return Math.abs((line.x[low] as number) - x) <= Math.abs((line.x[high] as number) - x) ? low : high;
}

/** The x that lines and marks take; one point gets half a unit on either side; null where there is nothing. */
export function xRange(lines: readonly Line[]): Range | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const line of lines) {
    const ends = [line.x[0], line.x[line.length - 1], line.end?.x, line.marks[0]?.x, line.marks.at(-1)?.x];
    for (const x of ends) {
      if (x === undefined) continue;
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
  }
  if (low > high) return null;
  const half = Math.max(0.5, Math.abs(low) * 1e-9);
  return low === high ? { low: low - half, high: high + half } : { low, high };
}

const PADDING = 0.06;

/** Space above and below; a constant gets room that shows it in the middle. */
function padded(low: number, high: number): Range {
  if (low === high) {
    const room = Math.abs(low) * 0.1 || 1;
    return { low: low - room, high: high + room };
  }
  const room = (high - low) * PADDING;
  return { low: low - room, high: high + room };
}

/**
 * The y that lines take between two x; null where nothing can be drawn.
 *
 * `place` maps a value to the height at which it is drawn, NaN where it cannot be (≤ 0 on a logarithmic axis).
 */
export function yRange(lines: readonly Line[], x: Range, place: (value: number) => number): Range | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const see = (value: number) => {
    const height = place(value);
    if (height < low) low = height;
    if (height > high) high = height;
  };
  for (const { length, x: at, y, band, end } of lines) {
    for (let i = 0; i < length; i++) {
      if ((at[i] as number) < x.low || (at[i] as number) > x.high) continue;
      see(band ? (band.low[i] as number) : (y[i] as number));
      if (band) see(band.high[i] as number);
    }
    if (end && end.x >= x.low && end.x <= x.high) see(end.y);
  }
  return low > high ? null : padded(low, high);
}

/** Largest absolute value among the points that have a number. */
export function magnitude(lines: readonly Line[]): number {
  let largest = 0;
  for (const { length, y, band, end } of lines) {
    for (let i = 0; i < length; i++) {
      largest = Math.max(largest, Math.abs(band ? (band.low[i] as number) : (y[i] as number)));
      if (band) largest = Math.max(largest, Math.abs(band.high[i] as number));
    }
    largest = Math.max(largest, Math.abs(end?.y ?? 0));
  }
  return largest;
}

/** Values that a logarithmic axis cannot show. */
export function notPositive(lines: readonly Line[]): number {
  let count = 0;
  for (const { length, y } of lines) for (let i = 0; i < length; i++) if (!((y[i] as number) > 0)) count += 1;
  return count;
}

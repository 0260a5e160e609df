/**
 * From series to what is drawn: lines in the units of the axes, and the range they take. Pure.
 */

import { isNoisy, type Sequence, smooth } from "./ema";
import { type ChartOptions, metricOf, type XAxis } from "./options";
import type { RunMark } from "./palette";
import type { OtherRun } from "./runs";
import type { Columns, Mark, Series } from "./series";

export interface Line {
  /** Place in the chart, and so in the palette. */
  readonly index: number;
  readonly metric: string;
  readonly label: string;
  /** What it is called among the lines of all charts: its metric, and its run where that is another. */
  readonly title: string;
  /** The other run that it is of; null for the one whose charts are shown. */
  readonly other: RunMark | null;
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

/** What gives points their x. */
export interface Ground {
  readonly x: XAxis;
  /** Where relative time begins, in seconds since the Unix epoch. */
  readonly start: number;
  /** The series that is x, where x is a metric; absent where there is none of that name. */
  readonly across?: Series | undefined;
}

/** Index of the last entry of a rising column that is at most `value`; -1 where none is. */
export function lastAtMost(column: Float64Array, value: number): number {
  let [low, high] = [-1, column.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((column[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Return the value of `across` at a step; NaN where it has none.
 *
 * The step must be the same, as on the server; where entries stand for several points, the entry that holds it counts.
 */
function valuesAcross(across: Series | undefined): (step: number) => number {
  if (!across) return () => Number.NaN;
  const { step: steps, value, count } = across.columns();
  return (step) => {
    const at = lastAtMost(steps, step);
    if (at < 0 || ((count[at] as number) === 1 && steps[at] !== step)) return Number.NaN;
    return value[at] as number;
  };
}

function placer({ x, start, across }: Ground): (point: Placed) => number {
  if (x === "step") return ({ step }) => step;
  if (x === "wall") return ({ time }) => time;
  if (x === "relative") return ({ time }) => time - start;
  const value = valuesAcross(across);
  return ({ step }) => value(step);
}

function positions(columns: Columns, { x, start, across }: Ground): Float64Array {
  if (x === "step") return columns.step;
  if (x === "wall") return columns.time;
  return x === "relative" ? columns.time.map((time) => time - start) : columns.step.map(valuesAcross(across));
}

function rises(x: Float64Array): boolean {
  if (Number.isNaN(x[0])) return false;
  for (let i = 1; i < x.length; i++) if (!((x[i] as number) >= (x[i - 1] as number))) return false;
  return true;
}

/** Clocks go back, steps are logged late, and a metric goes where it will: entries may have to be put in order first. */
function inOrder(line: Line): Line {
  if (rises(line.x)) return line;
  const placed = Array.from(line.x, (_, i) => i).filter((i) => !Number.isNaN(line.x[i]));
  const order = placed.sort((a, b) => (line.x[a] as number) - (line.x[b] as number) || a - b);
  const sorted = (column: Float64Array) => Float64Array.from(order, (i) => column[i] as number);
  return {
    ...line,
    length: order.length,
    x: sorted(line.x),
    y: sorted(line.y),
    smoothed: line.smoothed && sorted(line.smoothed),
    band: line.band && { low: sorted(line.band.low), high: sorted(line.band.high) },
    gap: sorted(line.gap),
  };
}

export function lineOf(
  series: Series,
  shown: { readonly index: number; readonly label: string; readonly other?: OtherRun },
  smoothing: ChartOptions["smoothing"],
  ground: Ground,
): Line {
  const columns = series.columns();
  const place = placer(ground);
  const { index, label, other = null } = shown;
  const sequence: Sequence = { length: columns.length, x: columns.step, value: columns.value, weight: columns.count };
  const smoothed = smoothing > 0 && isNoisy(sequence) ? smooth(sequence, smoothing) : null;
  const tail = series.tail;
  const endY = smoothed?.at(-1) ?? tail?.value;
  const end = tail && endY !== undefined ? { x: place(tail), y: endY } : null;
  const marks = series.marks.map((mark) => ({ x: place(mark), kind: mark.kind, count: mark.count }));
  return inOrder({
    ...{ index, label, other },
    metric: series.name,
    title: other ? `${series.name} · ${other.name}` : series.name,
    length: columns.length,
    x: positions(columns, ground),
    y: columns.value,
    smoothed,
    band: series.thinned ? { low: columns.low, high: columns.high } : null,
    // Neighbours along another metric are no neighbours in time.
    gap: metricOf(ground.x) === null ? columns.gap : new Float64Array(columns.length),
    marks: marks.filter(({ x }) => !Number.isNaN(x)).sort((a, b) => a.x - b.x),
    end: end && !Number.isNaN(end.x) ? end : null,
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

/**
 * The x that lines and marks take; one point gets half a unit on either side; null where there is nothing.
 *
 * `place` maps x to where it is drawn; what it has no place for (≤ 0 on a logarithmic axis) takes no room.
 */
export function xRange(lines: readonly Line[], place: (x: number) => number = Number): Range | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const line of lines) {
    let first = 0;
    while (first < line.length && Number.isNaN(place(line.x[first] as number))) first += 1;
    const ends = [line.x[first], line.x[line.length - 1], line.end?.x, ...line.marks.map(({ x }) => x)];
    for (const x of ends) {
      if (x === undefined || !Number.isFinite(place(x))) continue;
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
  }
  if (low > high) return null;
  const half = Math.max(0.5, Math.abs(low) * 1e-9);
  if (low < high) return { low, high };
  return { low: Number.isNaN(place(low - half)) ? low / 2 : low - half, high: high + half };
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

function* entriesWithin(line: Line, { low, high }: Range): Generator<number> {
  for (let i = 0; i < line.length; i++) {
    const x = line.x[i] as number;
    if (x >= low && x <= high) yield i;
  }
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
  for (const line of lines) {
    const { y, band, end } = line;
    for (const i of entriesWithin(line, x)) {
      see(band ? (band.low[i] as number) : (y[i] as number));
      if (band) see(band.high[i] as number);
    }
    if (end && end.x >= x.low && end.x <= x.high) see(end.y);
  }
  return low > high ? null : padded(low, high);
}

/** Share of the points at either end that may be outliers. */
const TAIL = 0.05;
/** How far beyond the others, in units of what these take, a point still belongs to them. */
const REACH = 0.5;
/** Among fewer points none stands out. */
const FEWEST_TO_JUDGE = 10;

/** As `yRange`, without the few points that are far from all others; of merged points their mean counts. */
export function robustRange(lines: readonly Line[], x: Range, place: (value: number) => number): Range | null {
  const heights: number[] = [];
  for (const line of lines) {
    const values = line.smoothed ?? line.y;
    for (const i of entriesWithin(line, x)) {
      const height = place(values[i] as number);
      if (!Number.isNaN(height)) heights.push(height);
    }
  }
  if (heights.length < FEWEST_TO_JUDGE) return yRange(lines, x, place);
  heights.sort((a, b) => a - b);
  const at = (share: number) => heights[Math.round(share * (heights.length - 1))] as number;
  const [low, high] = [at(TAIL), at(1 - TAIL)];
  const reach = (high - low) * REACH;
  return padded(Math.max(at(0), low - reach), Math.min(at(1), high + reach));
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

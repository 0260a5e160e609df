/** Curves over one pair of axes: reading, and what is found under a pointer. Pure. */

import { isNumbers, objectIn } from "./reading";

export interface Curve {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly area: number | null;
}

export interface Curves {
  readonly xTitle: string;
  readonly yTitle: string;
  readonly lines: readonly Curve[];
}

function curveIn(value: unknown): Curve | null {
  if (typeof value !== "object" || value === null) return null;
  const { name, x, y, area = null } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || !isNumbers(x) || !isNumbers(y) || !x.length || x.length !== y.length) return null;
  return area === null || typeof area === "number" ? { name, x, y, area } : null;
}

/** Return the curves in a content, or null where there are none. */
export function curvesIn(text: string): Curves | null {
  const { x_title: xTitle, y_title: yTitle, lines } = objectIn(text) ?? {};
  if (typeof xTitle !== "string" || typeof yTitle !== "string" || !Array.isArray(lines) || !lines.length) return null;
  const read = lines.map(curveIn);
  return read.every((line) => line !== null) ? { xTitle, yTitle, lines: read } : null;
}

/** Whether guessing is the diagonal: true over false positives. */
export function isRoc({ xTitle }: Curves): boolean {
  return /false.?positive|\bfpr\b/i.test(xTitle);
}

/** Return y of a curve at x, between its two nearest points; null outside of it. */
export function valueAt({ x, y }: Curve, at: number): number | null {
  // The axis may run either way, and stands still where a curve is steep.
  for (let i = 0; i + 1 < x.length; i++) {
    const [from, to] = [x[i] as number, x[i + 1] as number];
    if ((at < from && at < to) || (at > from && at > to)) continue;
    const [low, high] = [y[i] as number, y[i + 1] as number];
    return from === to ? Math.max(low, high) : low + ((high - low) * (at - from)) / (to - from);
  }
  return x.length === 1 && x[0] === at ? (y[0] as number) : null;
}

export interface Frame {
  readonly low: number;
  readonly high: number;
}

/** Return what an axis shows: 0 … 1, and more where values lie outside. */
export function frameOf(values: Iterable<number>): Frame {
  let [low, high] = [0, 1];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, high };
}

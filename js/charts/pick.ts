/** What stands at a place of a chart, in figures and in words. Pure. */

import { formatValue } from "./format";
import { type Line, nearest } from "./lines";

/** The entry of a line that is nearest to the cursor. */
export interface Picked {
  readonly index: number;
  readonly label: string;
  readonly x: number;
  readonly value: number;
  readonly smoothed: number | null;
  /** Smallest and largest of the points that the entry stands for; null where it is one. */
  readonly band: { readonly low: number; readonly high: number } | null;
}

export function pickFrom(line: Line, x: number): Picked | null {
  const at = nearest(line, x);
  if (at < 0) return null;
  const [low, high] = [line.band?.low[at] as number, line.band?.high[at] as number];
  return {
    index: line.index,
    label: line.label,
    x: line.x[at] as number,
    value: line.y[at] as number,
    smoothed: line.smoothed ? (line.smoothed[at] as number) : null,
    band: line.band && low < high ? { low, high } : null,
  };
}

/** Return the x that is `moves` entries further along a line; from nowhere: from beyond its ends. Null: it is empty. */
export function further(line: Line, from: number | null, moves: number): number | null {
  if (!line.length) return null;
  const last = line.length - 1;
  if (from === null) {
    const ahead = Number.isFinite(moves) ? moves < 0 : moves > 0;
    return line.x[ahead ? last : 0] as number;
  }
  // Entries at one and the same x are one place: a cursor that stood still would hold the reader up.
  let at = nearest(line, from);
  for (let left = Math.min(Math.abs(moves), last + 1); left > 0; left--) {
    const here = line.x[at] as number;
    const step = Math.sign(moves);
    let next = at + step;
    while (next >= 0 && next <= last && line.x[next] === here) next += step;
    if (next < 0 || next > last) break;
    at = next;
  }
  return line.x[at] as number;
}

/** Return what a screen reader says of a point: `train, step 12: 0.243, smoothed 0.25`. */
export function sentenceOf(picked: Picked, place: string): string {
  const { label, value, smoothed, band } = picked;
  const more = [
    smoothed !== null && `smoothed ${formatValue(smoothed)}`,
    band && `from ${formatValue(band.low)} to ${formatValue(band.high)}`,
  ];
  return [`${label}, ${place}: ${formatValue(value)}`, ...more].filter(Boolean).join(", ");
}

/** Finer points from rows that the page holds. Pure. */

import type { Frame } from "../api";
import type { DetailAnswer, DetailQuery } from "./detail";
import { metricOf } from "./options";
import { Series } from "./series";

type Take = (frame: Frame, row: number) => number;

/** The value that another metric had at each step; the last one where there are several, as on the server. */
function valuesByStep(frames: readonly Frame[], metric: string): ReadonlyMap<number, number> {
  const values = new Map<number, number>();
  for (const { names, steps, columns } of frames) {
    const column = columns[names.indexOf(metric)];
    if (column) for (let row = 0; row < steps.length; row++) values.set(steps[row] as number, column[row] as number);
  }
  return values;
}

function placeOn(frames: readonly Frame[], { x, start }: DetailQuery): Take {
  if (x === "step") return ({ steps }, row) => steps[row] as number;
  if (x === "wall") return ({ times }, row) => times[row] as number;
  if (x === "relative") return ({ times }, row) => (times[row] as number) - start;
  const values = valuesByStep(frames, metricOf(x) ?? "");
  return ({ steps }, row) => values.get(steps[row] as number) ?? Number.NaN;
}

/** Return what stands in the range of the query, merged only as far as a series must. */
export function stretchOf(frames: readonly Frame[], query: DetailQuery): DetailAnswer {
  const place = placeOn(frames, query);
  const { low, high } = query.range ?? { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const onMetric = metricOf(query.x) !== null;
  const wanted = new Map(query.metrics.map((name) => [name, new Series(name)]));
  for (const frame of frames) {
    const columns = frame.names.flatMap((name, i) => {
      const series = wanted.get(name);
      return series ? [[series, frame.columns[i] as Float64Array] as const] : [];
    });
    if (!columns.length) continue;
    for (const [from, to] of spansWithin(frame, place, low, high)) {
      // Where x is a metric, a point's step is its place there.
      const steps = onMetric ? placesOf(frame, place, from, to) : frame.steps.subarray(from, to);
      for (const [series, column] of columns) {
        series.append(steps, frame.times.subarray(from, to), column.subarray(from, to));
      }
    }
  }
  return wanted;
}

function placesOf(frame: Frame, place: Take, from: number, to: number): Float64Array {
  return Float64Array.from({ length: to - from }, (_, i) => place(frame, from + i));
}

/** Stretches of rows that lie in the range; NaN never does. */
function* spansWithin(frame: Frame, place: Take, low: number, high: number): Generator<[from: number, to: number]> {
  let from = -1;
  for (let row = 0; row < frame.steps.length; row++) {
    const at = place(frame, row);
    const inside = at >= low && at <= high;
    if (inside && from < 0) from = row;
    if (inside || from < 0) continue;
    yield [from, row];
    from = -1;
  }
  if (from >= 0) yield [from, frame.steps.length];
}

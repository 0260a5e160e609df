/** How far a run is and how fast it goes, from its series alone. Pure. */

import type { Series } from "../charts";

export interface Progress {
  readonly step: number;
  /** Steps a second over the last stretch; null where that cannot be said yet. */
  readonly perSecond: number | null;
}

const STRETCH_S = 30;
const MIN_SECONDS = 0.5;

/** Return the progress of the series that is furthest; null before the first point. */
export function progressOf(all: Iterable<Series>): Progress | null {
  let furthest: Series | null = null;
  for (const series of all) {
    if (series.name.startsWith("system/") || !series.tail) continue;
    if (!furthest?.tail || series.tail.step > furthest.tail.step) furthest = series;
  }
  if (!furthest?.tail) return null;
  const { step, time } = furthest.tail;
  const columns = furthest.columns();
  let from = columns.length - 1;
  while (from > 0 && (columns.time[from - 1] as number) >= time - STRETCH_S) from -= 1;
  const seconds = time - (columns.time[from] ?? time);
  const steps = step - (columns.step[from] ?? step);
  return { step, perSecond: seconds >= MIN_SECONDS && steps > 0 ? steps / seconds : null };
}

/** A place on x in words. Pure. */

import { formatClock, formatInstant, formatValue } from "./format";
import { type ChartOptions, metricOf } from "./options";

/** Return x as the reader sees it: a step, a clock since the start, a date, or a metric and its value. */
export function formatX(x: number, options: Pick<ChartOptions, "x">): string {
  if (options.x === "step") return `step ${formatValue(Math.round(x), 15)}`;
  if (options.x === "relative") return formatClock(x);
  if (options.x === "wall") return formatInstant(new Date(x * 1000));
  return `${metricOf(options.x)} ${formatValue(x)}`;
}

/**
 * Maps values to heights that are easy to draw, and names the ticks. Pure.
 *
 * Very large and very small values are divided by a power of ten first: then 1e308 and −1e308 fit on
 * one axis without overflow. A logarithmic axis draws logarithms.
 */

import { formatDurationTick, formatLogTicks, formatTicks, formatWallTick } from "./format";
import type { Range } from "./lines";
import type { Scale, XAxis } from "./options";
import { durationTicks, linearTicks, logTicks, wallTicks } from "./ticks";

export interface Tick {
  /** Where it is drawn, in the axis's own measure. */
  readonly at: number;
  readonly label: string;
}

export interface Axis {
  /** Value → place; NaN where the axis has none for it. */
  place(value: number): number;
  value(place: number): number;
  ticks(range: Range, count: number): Tick[];
}

function spacingOf(ticks: readonly number[]): number {
  return ticks.length > 1 ? (ticks[1] as number) - (ticks[0] as number) : 1;
}

function labelled(axis: Pick<Axis, "place">, ticks: readonly number[], labels: readonly string[]): Tick[] {
  return ticks.map((tick, i) => ({ at: axis.place(tick), label: labels[i] ?? "" }));
}

function linear(largest: number, whole: boolean): Axis {
  const extreme = largest >= 1e15 || (largest > 0 && largest < 1e-15);
  const unit = extreme ? 10 ** Math.max(-307, Math.floor(Math.log10(largest))) : 1;
  const axis = { place: (value: number) => value / unit, value: (place: number) => place * unit };
  return {
    ...axis,
    ticks(range, count) {
      const places = linearTicks(range.low, range.high, count, whole && !extreme);
      if (!extreme) return labelled(axis, places, formatTicks(places));
      const power = Math.floor(Math.log10(unit));
      const labels = formatTicks(places).map((text) => (text === "0" ? "0" : `${text}e${power}`));
      return places.map((at, i) => ({ at, label: labels[i] ?? "" }));
    },
  };
}

const logarithmic: Axis = {
  place: (value) => (value > 0 ? Math.log10(value) : Number.NaN),
  value: (place) => 10 ** place,
  ticks({ low, high }, count) {
    const ticks = logTicks(10 ** Math.max(-323, low), 10 ** Math.min(308.25, high), count);
    return labelled(logarithmic, ticks, formatLogTicks(ticks));
  },
};

function timed(find: typeof durationTicks, name: typeof formatDurationTick): Axis {
  const axis = { place: (value: number) => value, value: (place: number) => place };
  return {
    ...axis,
    ticks({ low, high }, count) {
      const ticks = find(low, high, count);
      const spacing = spacingOf(ticks);
      return labelled(
        axis,
        ticks,
        ticks.map((tick) => name(tick, spacing)),
      );
    },
  };
}

const relative = timed(durationTicks, formatDurationTick);
const wall = timed(wallTicks, formatWallTick);

/** `largest` is the largest absolute value that is drawn. */
export function xAxisOf(x: XAxis, scale: Scale, largest: number): Axis {
  if (x === "wall") return wall;
  if (scale === "log") return logarithmic;
  return x === "relative" ? relative : linear(largest, x === "step");
}

/** `largest` is the largest absolute value that is drawn. */
export function yAxisOf(y: Scale, largest: number): Axis {
  return y === "log" ? logarithmic : linear(largest, false);
}

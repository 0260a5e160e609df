/** Where axes, ticks and the plotting area of one chart are, for what it shows and its size. Pure. */

import { type Axis, type Tick, xAxisOf, yAxisOf } from "./axis";
import { type Line, magnitude, type Range, robustRange, xRange, yRange } from "./lines";
import { type ChartOptions, xScaleOf } from "./options";
import type { Box } from "./surface";

export type Shown = Pick<ChartOptions, "x" | "xScale" | "y" | "robust"> & {
  readonly lines: readonly Line[];
  /** Shown stretch of x; null for all. */
  readonly zoom: Range | null;
};

export interface Layout {
  /** The plotting area. */
  readonly area: Box;
  readonly xAxis: Axis;
  readonly yAxis: Axis;
  /** What is shown, in places of the axes. */
  readonly x: Range;
  readonly y: Range;
  /** All that could be shown, in places of x. */
  readonly all: Range;
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
}

export const FONT_SIZE = 10;

const PIXELS_PER_X_TICK = 52;
const PIXELS_PER_Y_TICK = 34;
const X_AXIS_HEIGHT = 20;
const LEAST_LABEL_WIDTH = 30;
const MARGIN = 8;
const NOTHING: Range = { low: 0, high: 1 };

/** `widthOf` measures a label in pixels. */
export function layOut(
  { lines, x, xScale, y, robust, zoom }: Shown,
  size: { readonly width: number; readonly height: number },
  widthOf: (label: string) => number,
): Layout {
  const scale = xScaleOf({ x, xScale });
  const found = xRange(lines, scale === "log" ? (at) => (at > 0 ? at : Number.NaN) : Number);
  const every = found ?? (scale === "log" ? { low: 1, high: 10 } : NOTHING);
  // A stretch that was chosen on another scale may begin where this one has no place.
  const shown = zoom && scale === "log" ? { ...zoom, low: Math.max(zoom.low, every.low) } : (zoom ?? every);
  const xAxis = xAxisOf(x, scale, Math.max(Math.abs(every.low), Math.abs(every.high)));
  const yAxis = yAxisOf(y, magnitude(lines));
  const placeX = (range: Range): Range => ({ low: xAxis.place(range.low), high: xAxis.place(range.high) });
  const placeY = (value: number) => yAxis.place(value);
  const rangeOf = robust ? robustRange : yRange;
  const [xs, all] = [placeX(shown), placeX(every)];
  const ys = rangeOf(lines, shown, placeY) ?? yRange(lines, every, placeY) ?? NOTHING;
  const xTicks = xAxis.ticks(xs, Math.max(2, Math.floor(size.width / PIXELS_PER_X_TICK)));
  const yTicks = yAxis.ticks(ys, Math.max(2, Math.floor(size.height / PIXELS_PER_Y_TICK)));

  const widest = Math.max(0, ...yTicks.map(({ label }) => widthOf(label)));
  const left = Math.ceil(Math.max(LEAST_LABEL_WIDTH, MARGIN + 2 + widest));
  const last = xTicks.at(-1);
  const room = size.width - left - MARGIN;
  // The half of the last label that stands beyond the end of the axis.
  const beyond = last ? widthOf(last.label) / 2 - ((xs.high - last.at) / (xs.high - xs.low)) * room : 0;
  const right = Math.max(MARGIN, Math.ceil(beyond) + 2);
  const area = {
    left,
    top: MARGIN,
    width: Math.max(1, size.width - left - right),
    height: Math.max(1, size.height - MARGIN - X_AXIS_HEIGHT),
  };
  return { area, xAxis, yAxis, x: xs, y: ys, all, xTicks, yTicks };
}

/** Pixels from the left edge of the plotting area. */
export function pixelOfX({ xAxis, x, area }: Layout, value: number): number {
  return ((xAxis.place(value) - x.low) / (x.high - x.low)) * area.width;
}

/** Pixels from the top edge of the plotting area. */
export function pixelOfY({ yAxis, y, area }: Layout, value: number): number {
  return area.height * (1 - (yAxis.place(value) - y.low) / (y.high - y.low));
}

/** Place on the axis of x at so many pixels from the left edge of the plotting area. */
export function placeAtPixel({ x, area }: Layout, pixel: number): number {
  return x.low + (pixel / area.width) * (x.high - x.low);
}

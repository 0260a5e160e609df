/** Draws axes and lines into a canvas, in CSS pixels. Knows colours and places, nothing of series or of the page. */

import type { Tick } from "./axis";
import type { Line, Range } from "./lines";

/** Where the plotting area is on the canvas, and what it spans. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly x: Range;
  readonly y: Range;
  readonly placeX: (value: number) => number;
  readonly placeY: (value: number) => number;
}

/** Colours and font of what is not a line. */
export interface Inks {
  readonly text: string;
  readonly grid: string;
  readonly alarm: string;
  readonly family: string;
}

export interface Pen {
  readonly color: string;
  readonly dash: readonly number[];
  readonly inks: Inks;
}

interface Place {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

type Span = readonly [from: number, to: number];

export const FONT_SIZE = 10;

function placeIn(frame: Frame): Place {
  const { left, top, width, height, x, y } = frame;
  const [sx, sy] = [width / (x.high - x.low), height / (y.high - y.low)];
  return {
    x: (value) => left + (frame.placeX(value) - x.low) * sx,
    y: (value) => top + height - (frame.placeY(value) - y.low) * sy,
  };
}

/** Horizontal lines at the ticks of y, and the labels of both axes. */
export function paintAxes(
  context: CanvasRenderingContext2D,
  frame: Frame,
  xTicks: readonly Tick[],
  yTicks: readonly Tick[],
  inks: Inks,
): void {
  const { left, top, width, height, x, y } = frame;
  context.font = `${FONT_SIZE}px ${inks.family}`;
  context.fillStyle = inks.text;
  context.strokeStyle = inks.grid;
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.beginPath();
  for (const { at, label } of yTicks) {
    const level = top + height * (1 - (at - y.low) / (y.high - y.low));
    // Half a pixel off, so that a line one pixel wide is not spread over two.
    context.moveTo(left, Math.round(level) + 0.5);
    context.lineTo(left + width, Math.round(level) + 0.5);
    context.fillText(label, left - 6, Math.max(FONT_SIZE / 2, level));
  }
  context.stroke();
  context.textAlign = "center";
  context.textBaseline = "top";
  let free = Number.NEGATIVE_INFINITY;
  for (const { at, label } of xTicks) {
    const half = context.measureText(label).width / 2;
    const middle = left + width * ((at - x.low) / (x.high - x.low));
    if (middle - half < free) continue;
    context.fillText(label, middle, top + height + 6);
    free = middle + half + 6;
  }
}

/** Entries from the last one left of the plotting area to the first one right of it. */
function visible(line: Line, frame: Frame): Span {
  let [from, to] = [0, line.length - 1];
  while (from < to && frame.placeX(line.x[from + 1] as number) < frame.x.low) from += 1;
  while (to > from && frame.placeX(line.x[to - 1] as number) > frame.x.high) to -= 1;
  return [from, to];
}

/** Trace a line; of the points within a pixel of x only first, lowest, highest and last are drawn. */
function trace(line: Line, values: Float64Array, place: Place, [from, to]: Span): Path2D {
  const path = new Path2D();
  let open = false;
  let [column, low, high, last] = [Number.NaN, 0, 0, 0];
  const flush = () => {
    if (low !== high) for (const y of [low, high, last]) path.lineTo(column, y);
  };
  for (let i = from; i <= to; i++) {
    const y = place.y(values[i] as number);
    const drawable = Number.isFinite(y);
    if (open && (!drawable || (line.gap[i] as number) > 0)) {
      flush();
      open = false;
    }
    if (!drawable) continue;
    const x = place.x(line.x[i] as number);
    if (open && x - column < 1) {
      low = Math.min(low, y);
      high = Math.max(high, y);
      last = y;
      continue;
    }
    if (open) {
      flush();
      path.lineTo(x, y);
    } else path.moveTo(x, y);
    open = true;
    [column, low, high, last] = [x, y, y, y];
  }
  if (open) flush();
  return path;
}

/** Points that no line leads to or from: they would be invisible without a dot. */
function lonely(line: Line, values: Float64Array, place: Place, [from, to]: Span): Path2D {
  const path = new Path2D();
  const drawn = (i: number) => Number.isFinite(place.y(values[i] as number));
  for (let i = from; i <= to; i++) {
    if (!drawn(i)) continue;
    const before = i > 0 && !(line.gap[i] as number) && drawn(i - 1);
    const after = i + 1 < line.length && !(line.gap[i + 1] as number) && drawn(i + 1);
    if (before || after) continue;
    const [x, y] = [place.x(line.x[i] as number), place.y(values[i] as number)];
    path.moveTo(x, y);
    path.arc(x, y, 1.6, 0, 2 * Math.PI);
  }
  return path;
}

/** From the lowest to the highest of the points that each entry stands for. */
function bandOf(line: Line, place: Place, floor: number, [from, to]: Span): Path2D | null {
  if (!line.band) return null;
  const path = new Path2D();
  const point = (i: number, value: number) => {
    const y = place.y(value);
    path.lineTo(place.x(line.x[i] as number), Number.isFinite(y) ? y : floor);
  };
  for (let i = from; i <= to; i++) point(i, line.band.high[i] as number);
  for (let i = to; i >= from; i--) point(i, line.band.low[i] as number);
  return path;
}

const MARK_TEXT = { NaN: "NaN ▾", Inf: "∞ ▴", "-Inf": "−∞ ▾" } as const;

/** Marks where values were no numbers: at the upper edge, −∞ at the lower one; named where there is room. */
function paintMarks(context: CanvasRenderingContext2D, line: Line, frame: Frame, place: Place, inks: Inks): void {
  context.fillStyle = inks.alarm;
  context.font = `${FONT_SIZE - 1}px ${inks.family}`;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  const ends = { top: Number.NEGATIVE_INFINITY, bottom: Number.NEGATIVE_INFINITY };
  for (const mark of line.marks) {
    const x = place.x(mark.x);
    if (x < frame.left || x > frame.left + frame.width) continue;
    const edge = mark.kind === "-Inf" ? "bottom" : "top";
    const y = edge === "top" ? frame.top + 8 : frame.top + frame.height - 3;
    const half = context.measureText(MARK_TEXT[mark.kind]).width / 2;
    const at = Math.min(Math.max(x, frame.left + half), frame.left + frame.width - half);
    if (at - half > ends[edge]) {
      context.fillText(MARK_TEXT[mark.kind], at, y);
      ends[edge] = at + half + 2;
    } else context.fillRect(x - 0.5, y - 3, 1, 3);
  }
}

/** Draw one line with its band, end and marks. */
export function paintLine(context: CanvasRenderingContext2D, line: Line, frame: Frame, pen: Pen): void {
  const place = placeIn(frame);
  const span = visible(line, frame);
  const strong = line.smoothed ?? line.y;
  context.save();
  context.beginPath();
  // A little more than the plotting area: a line at its edge, and the dot at its end, are not cut in two.
  context.rect(frame.left - 3, frame.top - 4, frame.width + 7, frame.height + 7);
  context.clip();
  context.strokeStyle = context.fillStyle = pen.color;
  // Round joints cost a third of the time of a jagged line, and are not seen at this width.
  context.lineJoin = "bevel";
  const band = bandOf(line, place, frame.top + frame.height, span);
  context.globalAlpha = 0.16;
  if (band) context.fill(band);
  context.setLineDash([...pen.dash]);
  if (line.smoothed) {
    context.globalAlpha = 0.32;
    context.lineWidth = 1;
    context.stroke(trace(line, line.y, place, span));
  }
  context.globalAlpha = 1;
  context.lineWidth = line.smoothed ? 1.8 : 1.5;
  context.stroke(trace(line, strong, place, span));
  context.fill(lonely(line, strong, place, span));
  if (line.end && Number.isFinite(place.y(line.end.y))) {
    context.beginPath();
    context.arc(place.x(line.end.x), place.y(line.end.y), 2.7, 0, 2 * Math.PI);
    context.fill();
  }
  paintMarks(context, line, frame, place, pen.inks);
  context.restore();
}

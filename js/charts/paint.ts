/** Draws lines into a canvas. Knows pixels and colours, nothing of series or of the page. */

import type { Line, Range } from "./lines";

/** Where the plotting area is, in pixels of the canvas, and what it spans. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly x: Range;
  readonly y: Range;
  readonly placeX: (value: number) => number;
  readonly placeY: (value: number) => number;
  /** Pixels of the canvas for one of CSS. */
  readonly ratio: number;
}

export interface Ink {
  readonly color: string;
  readonly dash: readonly number[];
  readonly alarm: string;
  readonly font: string;
}

interface Place {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

function placeIn(frame: Frame): Place {
  const { left, top, width, height, x, y } = frame;
  const [sx, sy] = [width / (x.high - x.low), height / (y.high - y.low)];
  return {
    x: (value) => left + (frame.placeX(value) - x.low) * sx,
    y: (value) => top + height - (frame.placeY(value) - y.low) * sy,
  };
}

/** Entries from the last one left of the plotting area to the first one right of it. */
function visible(line: Line, frame: Frame): [number, number] {
  let [from, to] = [0, line.length - 1];
  while (from < to && frame.placeX(line.x[from + 1] as number) < frame.x.low) from += 1;
  while (to > from && frame.placeX(line.x[to - 1] as number) > frame.x.high) to -= 1;
  return [from, to];
}

/**
 * Trace a line; of the points in one column of pixels only first, lowest, highest and last are drawn.
 */
function trace(path: Path2D, line: Line, values: Float64Array, place: Place, [from, to]: [number, number]): void {
  let open = false;
  let [column, low, high, last] = [Number.NaN, 0, 0, 0];
  const flush = () => {
    if (Number.isNaN(column)) return;
    if (low !== high) {
      path.lineTo(column, low);
      path.lineTo(column, high);
      path.lineTo(column, last);
    }
    column = Number.NaN;
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
    if (!open) path.moveTo(x, y);
    else if (Math.abs(x - column) < 0.5) {
      low = Math.min(low, y);
      high = Math.max(high, y);
      last = y;
      continue;
    } else {
      flush();
      path.lineTo(x, y);
    }
    open = true;
    [column, low, high, last] = [x, y, y, y];
  }
  flush();
}

/** Points that no line leads to or from: they would be invisible without a dot. */
function dots(line: Line, values: Float64Array, frame: Frame, place: Place, [from, to]: [number, number]): Path2D {
  const path = new Path2D();
  for (let i = from; i <= to; i++) {
    const y = place.y(values[i] as number);
    const before = i > from && !(line.gap[i] as number) && Number.isFinite(place.y(values[i - 1] as number));
    const after = i < to && !(line.gap[i + 1] as number) && Number.isFinite(place.y(values[i + 1] as number));
    if (before || after || !Number.isFinite(y)) continue;
    const x = place.x(line.x[i] as number);
    path.moveTo(x, y);
    path.arc(x, y, 1.5 * frame.ratio, 0, 2 * Math.PI);
  }
  return path;
}

function paintBand(context: CanvasRenderingContext2D, line: Line, place: Place, [from, to]: [number, number]): void {
  if (!line.band) return;
  const path = new Path2D();
  const finite = (value: number) => (Number.isFinite(value) ? value : 0);
  for (let i = from; i <= to; i++)
    path.lineTo(place.x(line.x[i] as number), finite(place.y(line.band.high[i] as number)));
  for (let i = to; i >= from; i--)
    path.lineTo(place.x(line.x[i] as number), finite(place.y(line.band.low[i] as number)));
  context.globalAlpha = 0.16;
  context.fill(path);
}

const MARK_TEXT = { NaN: "NaN ▾", Inf: "∞ ▴", "-Inf": "−∞ ▾" } as const;

/** Marks where values were no numbers: at the upper edge, −∞ at the lower one; named where there is room. */
function paintMarks(context: CanvasRenderingContext2D, line: Line, frame: Frame, place: Place, ink: Ink): void {
  context.fillStyle = ink.alarm;
  context.font = ink.font;
  context.textAlign = "center";
  context.globalAlpha = 1;
  const ends = { top: Number.NEGATIVE_INFINITY, bottom: Number.NEGATIVE_INFINITY };
  for (const mark of line.marks) {
    const x = place.x(mark.x);
    if (x < frame.left || x > frame.left + frame.width) continue;
    const edge = mark.kind === "-Inf" ? "bottom" : "top";
    const y = edge === "top" ? frame.top + 9 * frame.ratio : frame.top + frame.height - 3 * frame.ratio;
    const text = MARK_TEXT[mark.kind];
    const half = context.measureText(text).width / 2;
    const at = Math.min(Math.max(x, frame.left + half), frame.left + frame.width - half);
    if (at - half > ends[edge]) {
      context.fillText(text, at, y);
      ends[edge] = at + half + 2 * frame.ratio;
    } else context.fillRect(x - frame.ratio / 2, y - 2 * frame.ratio, frame.ratio, 3 * frame.ratio);
  }
}

/** Draw one line with its band, end and marks. */
export function paintLine(context: CanvasRenderingContext2D, line: Line, frame: Frame, ink: Ink): void {
  const place = placeIn(frame);
  const span = visible(line, frame);
  context.save();
  context.strokeStyle = context.fillStyle = ink.color;
  context.lineJoin = "round";
  paintBand(context, line, place, span);
  const strong = line.smoothed ?? line.y;
  const strokes = line.smoothed
    ? ([
        [line.y, 1, 0.3],
        [strong, 1.7, 1],
      ] as const)
    : ([[strong, 1.5, 1]] as const);
  for (const [values, width, alpha] of strokes) {
    const path = new Path2D();
    trace(path, line, values, place, span);
    context.globalAlpha = alpha;
    context.lineWidth = width * frame.ratio;
    context.setLineDash(ink.dash.map((length) => length * frame.ratio));
    context.stroke(path);
  }
  context.globalAlpha = 1;
  context.fill(dots(line, strong, frame, place, span));
  if (line.end) {
    const y = place.y(line.end.y);
    context.beginPath();
    if (Number.isFinite(y)) context.arc(place.x(line.end.x), y, 2.6 * frame.ratio, 0, 2 * Math.PI);
    context.fill();
  }
  paintMarks(context, line, frame, place, ink);
  context.restore();
}

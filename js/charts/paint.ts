/** Draws axes and lines onto a surface. Knows colours and places, nothing of series or of the page. */

import { FONT_SIZE, type Layout, pixelOfX, pixelOfY } from "./layout";
import type { Line } from "./lines";
import type { Look } from "./palette";
import type { Path, Surface } from "./surface";

/** Colours of what is not a line. */
export interface Inks {
  readonly text: string;
  readonly grid: string;
  readonly alarm: string;
}

export interface Pen extends Look {
  readonly inks: Inks;
}

interface Place {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

type Span = readonly [from: number, to: number];

function placeIn(layout: Layout): Place {
  const { left, top } = layout.area;
  return { x: (value) => left + pixelOfX(layout, value), y: (value) => top + pixelOfY(layout, value) };
}

/** Horizontal lines at the ticks of y, and the labels of both axes. */
export function paintAxes(surface: Surface, { area, x, y, xTicks, yTicks }: Layout, inks: Inks): void {
  const { left, top, width, height } = area;
  const style = { color: inks.text, size: FONT_SIZE };
  const levels = surface.path();
  for (const { at, label } of yTicks) {
    const level = top + height * (1 - (at - y.low) / (y.high - y.low));
    // Half a pixel off, so that a line one pixel wide is not spread over two.
    levels.moveTo(left, Math.round(level) + 0.5);
    levels.lineTo(left + width, Math.round(level) + 0.5);
    surface.text(label, left - 6, Math.max(FONT_SIZE / 2, level), { ...style, align: "right", at: "middle" });
  }
  surface.stroke(levels, { color: inks.grid, width: 1 });
  let free = Number.NEGATIVE_INFINITY;
  for (const { at, label } of xTicks) {
    const half = surface.widthOf(label, FONT_SIZE) / 2;
    const middle = left + width * ((at - x.low) / (x.high - x.low));
    if (middle - half < free) continue;
    surface.text(label, middle, top + height + 6, { ...style, align: "center", at: "top" });
    free = middle + half + 6;
  }
}

/** Entries from the last one left of the plotting area to the first one right of it. */
function visible(line: Line, { x, xAxis }: Layout): Span {
  let [from, to] = [0, line.length - 1];
  // What has no place on the axis is no beginning either.
  while (from < to && !(xAxis.place(line.x[from + 1] as number) >= x.low)) from += 1;
  while (to > from && xAxis.place(line.x[to - 1] as number) > x.high) to -= 1;
  return [from, to];
}

/** Trace a line; of the points within a grain of x only first, lowest, highest and last are drawn. */
function trace(
  { path: newPath, grain }: Pick<Surface, "path" | "grain">,
  line: Line,
  values: Float64Array,
  place: Place,
  [from, to]: Span,
): Path {
  const path = newPath();
  let open = false;
  let [column, low, high, last] = [Number.NaN, 0, 0, 0];
  const flush = () => {
    if (low !== high) for (const y of [low, high, last]) path.lineTo(column, y);
  };
  for (let i = from; i <= to; i++) {
    const [x, y] = [place.x(line.x[i] as number), place.y(values[i] as number)];
    const drawable = Number.isFinite(y) && Number.isFinite(x);
    if (open && (!drawable || (line.gap[i] as number) > 0)) {
      flush();
      open = false;
    }
    if (!drawable) continue;
    if (open && x - column < grain) {
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
function lonely(path: Path, line: Line, values: Float64Array, place: Place, [from, to]: Span): Path {
  const drawn = (i: number) => Number.isFinite(place.y(values[i] as number) + place.x(line.x[i] as number));
  for (let i = from; i <= to; i++) {
    if (!drawn(i)) continue;
    const before = i > 0 && !(line.gap[i] as number) && drawn(i - 1);
    const after = i + 1 < line.length && !(line.gap[i + 1] as number) && drawn(i + 1);
    if (before || after) continue;
    path.circle(place.x(line.x[i] as number), place.y(values[i] as number), 1.6);
  }
  return path;
}

/** From the lowest to the highest of the points that each entry stands for. */
function bandOf(path: Path, line: Line, place: Place, floor: number, [from, to]: Span): Path | null {
  if (!line.band) return null;
  const point = (i: number, value: number) => {
    const [x, y] = [place.x(line.x[i] as number), place.y(value)];
    if (Number.isFinite(x)) path.lineTo(x, Number.isFinite(y) ? y : floor);
  };
  for (let i = from; i <= to; i++) point(i, line.band.high[i] as number);
  for (let i = to; i >= from; i--) point(i, line.band.low[i] as number);
  return path;
}

const MARK_TEXT = { NaN: "NaN ▾", Inf: "∞ ▴", "-Inf": "−∞ ▾" } as const;

/** Marks where values were no numbers: at the upper edge, −∞ at the lower one; named where there is room. */
function paintMarks(surface: Surface, line: Line, layout: Layout, place: Place, inks: Inks): void {
  const { left, top, width, height } = layout.area;
  const ends = { top: Number.NEGATIVE_INFINITY, bottom: Number.NEGATIVE_INFINITY };
  for (const mark of line.marks) {
    const x = place.x(mark.x);
    if (!(x >= left && x <= left + width)) continue;
    const edge = mark.kind === "-Inf" ? "bottom" : "top";
    const y = edge === "top" ? top + 8 : top + height - 3;
    const half = surface.widthOf(MARK_TEXT[mark.kind], FONT_SIZE - 1) / 2;
    const at = Math.min(Math.max(x, left + half), left + width - half);
    if (at - half > ends[edge]) {
      surface.text(MARK_TEXT[mark.kind], at, y, { color: inks.alarm, size: FONT_SIZE - 1, align: "center" });
      ends[edge] = at + half + 2;
    } else surface.box({ left: x - 0.5, top: y - 3, width: 1, height: 3 }, inks.alarm);
  }
}

/** Draw one line with its band, end and marks; of another run nothing but the line that counts, and its end. */
export function paintLine(surface: Surface, line: Line, layout: Layout, pen: Pen): void {
  const { color, dash, alpha, weight, inks } = pen;
  const place = placeIn(layout);
  const span = visible(line, layout);
  const strong = line.smoothed ?? line.y;
  const { left, top, width, height } = layout.area;
  // A little more than the plotting area: a line at its edge, and the dot at its end, are not cut in two.
  const edge = { left: left - 3, top: top - 4, width: width + 7, height: height + 7 };
  surface.within(edge, () => {
    const band = line.other ? null : bandOf(surface.path(), line, place, top + height, span);
    if (band) surface.fill(band, color, 0.16);
    if (line.smoothed && !line.other) {
      const faint = trace(surface, line, line.y, place, span);
      surface.stroke(faint, { color, width: 1, alpha: 0.32, dash });
    }
    const path = trace(surface, line, strong, place, span);
    surface.stroke(path, { color, width: weight * (line.smoothed ? 1.8 : 1.5), alpha, dash });
    const dots = lonely(surface.path(), line, strong, place, span);
    if (line.end && Number.isFinite(place.y(line.end.y) + place.x(line.end.x))) {
      paintEnd(dots, place.x(line.end.x), place.y(line.end.y), pen);
    }
    surface.fill(dots, color, alpha);
    paintMarks(surface, line, layout, place, inks);
  });
}

const END = 2.7;

function paintEnd(path: Path, x: number, y: number, { end, weight }: Pen): void {
  if (end === "dot") {
    path.circle(x, y, weight * END);
    return;
  }
  path.moveTo(x - END - 1, y);
  for (const [dx, dy] of [
    [0, -1],
    [1, 0],
    [0, 1],
    [-1, 0],
  ] as const) {
    path.lineTo(x + dx * (END + 1), y + dy * (END + 1));
  }
}

/** Draw axes and lines of a chart, those of other runs behind. */
export function paintChart(
  surface: Surface,
  lines: readonly Line[],
  layout: Layout,
  inks: Inks,
  lookOf: (line: Line) => Look,
): void {
  paintAxes(surface, layout, inks);
  for (const behind of [true, false]) {
    for (const line of lines) {
      if ((line.other !== null) === behind) paintLine(surface, line, layout, { ...lookOf(line), inks });
    }
  }
}

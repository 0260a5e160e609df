/** How a histogram over steps is drawn: a heat map of all steps, and the bars of one beside it. Pure. */

import { formatTicks, formatValue } from "../charts/format";
import type { Theme } from "../charts/palette";
import type { Surface } from "../charts/surface";
import { linearTicks } from "../charts/ticks";
import type { Column, Heat, Histogram, Span } from "./histogram";
import { css, rampAt } from "./ramp";

/** Rows of the heat map. */
export const ROWS = 64;

const LEFT = 46;
const FOOT = 18;
const GAP = 10;
const BARS = 0.3;
const TICK_ROOM = 32;
const FONT_SIZE = 10;

export interface Size {
  readonly width: number;
  readonly height: number;
}

interface Side {
  readonly left: number;
  readonly right: number;
}

/** Where the parts stand, in pixels. */
export interface Places {
  readonly top: number;
  readonly bottom: number;
  readonly map: Side;
  readonly bars: Side;
}

/** `mapped` is whether there is a heat map; one step alone has only bars. */
export function placesIn({ width, height }: Size, mapped: boolean): Places {
  const split = mapped ? LEFT + Math.round((width - LEFT) * (1 - BARS)) - GAP : LEFT;
  return {
    top: 5,
    bottom: height - FOOT,
    map: { left: LEFT, right: split },
    bars: { left: mapped ? split + GAP : LEFT, right: width },
  };
}

export interface Drawing {
  readonly name: string;
  readonly histogram: Histogram;
  readonly step: number;
  readonly columns: readonly Column[];
  readonly heat: Heat;
  /** Index of the column that the bars are of. */
  readonly at: number;
  readonly span: Span;
  readonly theme: Theme;
}

export interface HistogramInks {
  readonly text: string;
  readonly line: string;
  readonly bar: string;
}

function paintMap(surface: Surface, { bottom, top, map }: Places, { heat, theme }: Drawing): void {
  const wide = (map.right - map.left) / heat.shades.length;
  const high = (bottom - top) / heat.rows;
  for (const [no, shades] of heat.shades.entries()) {
    const left = Math.round(map.left + no * wide);
    const width = Math.round(map.left + (no + 1) * wide) - left;
    for (const [row, shade] of shades.entries()) {
      if (!shade) continue;
      const upper = Math.round(bottom - (row + 1) * high);
      const height = Math.round(bottom - row * high) - upper;
      surface.box({ left, top: upper, width, height }, css(rampAt(shade, theme)));
    }
  }
}

/** Shows which column the bars are of, and the first and last step where there is room. */
function paintFoot(surface: Surface, { bottom, map }: Places, drawing: Drawing, inks: HistogramInks): void {
  const { columns, at } = drawing;
  const x = Math.round(map.left + ((at + 0.5) / columns.length) * (map.right - map.left));
  const mark = surface.path();
  mark.moveTo(x, bottom + 1);
  mark.lineTo(x - 4, bottom + 7);
  mark.lineTo(x + 4, bottom + 7);
  surface.fill(mark, inks.bar);
  const style = { color: inks.text, size: FONT_SIZE, at: "base" } as const;
  const [first, last] = [columns[0], columns.at(-1)].map((column) => formatValue(column?.step ?? 0, 15)) as [
    string,
    string,
  ];
  const y = bottom + FOOT - 3;
  if (x - 6 > map.left + surface.widthOf(first, FONT_SIZE)) surface.text(first, map.left, y, style);
  if (x + 6 < map.right - surface.widthOf(last, FONT_SIZE)) {
    surface.text(last, map.right, y, { ...style, align: "right" });
  }
}

function paintBars(surface: Surface, { bars }: Places, drawing: Drawing, yOf: (value: number) => number, ink: string) {
  const { edges, counts } = drawing.histogram;
  const most = Math.max(...Array.from(counts)) || 1;
  for (let i = 0; i < counts.length; i++) {
    const [low, high] = [yOf(edges[i] as number), yOf(edges[i + 1] as number)];
    const width = ((counts[i] as number) / most) * (bars.right - bars.left - 4);
    const gap = low - high > 3 ? 1 : 0;
    surface.box({ left: bars.left, top: high, width, height: Math.max(1, low - high - gap) }, ink);
  }
}

/** Draw it all. */
export function paintHistogram(surface: Surface, size: Size, drawing: Drawing, inks: HistogramInks): void {
  const { span, step, columns } = drawing;
  const mapped = columns.length > 1;
  const places = placesIn(size, mapped);
  const { top, bottom, map, bars } = places;
  const yOf = (value: number) => bottom - ((value - span.low) / (span.high - span.low)) * (bottom - top);
  if (mapped) {
    paintMap(surface, places, drawing);
    paintFoot(surface, places, drawing, inks);
  }
  paintBars(surface, places, drawing, yOf, inks.bar);
  const frame = surface.path();
  for (const { left, right } of mapped ? [map, bars] : [bars]) {
    frame.moveTo(left - 0.5, top);
    frame.lineTo(left - 0.5, bottom + 0.5);
    frame.lineTo(right - 0.5, bottom + 0.5);
  }
  surface.stroke(frame, { color: inks.line, width: 1 });
  const ticks = linearTicks(span.low, span.high, Math.max(2, Math.floor((bottom - top) / TICK_ROOM)));
  const style = { color: inks.text, size: FONT_SIZE } as const;
  for (const [i, label] of formatTicks(ticks).entries()) {
    surface.text(label, LEFT - 6, yOf(ticks[i] as number), { ...style, align: "right", at: "middle" });
  }
  surface.text(`step ${formatValue(step, 15)}`, bars.right - 2, bottom + FOOT - 3, { ...style, align: "right" });
}

/** What follows the pointer over one chart: a line, a dot on each curve, where that is, and a table of values. */

import { formatValue } from "./format";
import { type Layout, pixelOfX, pixelOfY } from "./layout";
import type { Line } from "./lines";
import { lookOf, swatchOf, type Theme } from "./palette";
import { type Picked, pickFrom } from "./pick";

export interface CursorState {
  readonly lines: readonly Line[];
  readonly layout: Layout;
  readonly width: number;
  readonly theme: Theme;
  /** Where it is, as a value of x; null: nowhere. */
  readonly at: number | null;
  /** Whether the reader is in this chart, and not in one that is in step with it. */
  readonly here: boolean;
}

const ASIDE = 10;
/** Height of one row of the table, and how much of the chart the table may hide. */
const ROW_HEIGHT = 16;
const MOST_HIDDEN = 0.8;
/** So many are shown in the smallest chart, too. */
const FEWEST_ROWS = 3;

export class Cursor {
  readonly #over: HTMLElement;
  readonly #line: HTMLElement;
  readonly #label: HTMLElement;
  readonly #table: HTMLElement;
  readonly #dots: HTMLElement[] = [];

  /** `over` lies on the plotting area. */
  constructor(over: HTMLElement) {
    this.#over = over;
    this.#line = this.#make("anr-cursor");
    this.#label = this.#make("anr-at anr-num");
    this.#table = this.#make("anr-tip anr-num");
    for (const part of [this.#line, this.#label, this.#table]) part.hidden = true;
    // A screen reader is told by the live region.
    for (const part of [this.#label, this.#table]) part.setAttribute("aria-hidden", "true");
  }

  /** Show it; `named` says what stands under the axis at x. */
  show(state: CursorState, named: (x: number) => string): void {
    const { at, layout, lines } = state;
    if (at === null && this.#line.hidden) return;
    const pixel = at === null ? -1 : pixelOfX(layout, at);
    const shown = at !== null && pixel >= 0 && pixel <= layout.area.width;
    this.#line.hidden = this.#label.hidden = !shown;
    this.#line.style.transform = `translateX(${pixel}px)`;
    if (shown) this.#name(named(at), pixel, state);
    const picked = shown ? lines.map((line) => [line, pickFrom(line, at)] as const) : [];
    while (this.#dots.length < picked.length) this.#dots.push(this.#make("anr-dot", "i"));
    for (const [i, dot] of this.#dots.entries()) this.#dot(dot, picked[i], state);
    const rows = picked.flatMap(([line, one]) => (one ? [[line, one] as const] : []));
    const says = rows.length > 1 || rows.some(([, { smoothed, band }]) => smoothed !== null || band !== null);
    this.#table.hidden = !(shown && state.here && says);
    if (this.#table.hidden) this.#table.replaceChildren();
    else this.#tabulate(rows, pixel, state);
  }

  #make(name: string, tag = "div"): HTMLElement {
    const element = this.#over.ownerDocument.createElement(tag);
    element.className = name;
    return this.#over.appendChild(element);
  }

  #name(text: string, pixel: number, { layout: { area }, width }: CursorState): void {
    this.#label.textContent = text;
    const half = this.#label.offsetWidth / 2;
    // Inside the chart, also at its edges.
    const [least, most] = [-area.left, width - area.left - 2 * half];
    this.#label.style.transform = `translateX(${Math.round(Math.min(Math.max(pixel - half, least), most))}px)`;
  }

  #dot(dot: HTMLElement, of: readonly [Line, Picked | null] | undefined, { layout, theme }: CursorState): void {
    dot.hidden = true;
    const [line, picked] = of ?? [];
    if (!line || !picked) return;
    const { width, height } = layout.area;
    const x = pixelOfX(layout, picked.x);
    const y = pixelOfY(layout, picked.smoothed ?? picked.value);
    dot.hidden = !(x >= 0 && x <= width && y >= -1 && y <= height + 1);
    const { color, end } = lookOf(line, theme);
    dot.style.background = color;
    dot.style.borderRadius = end === "diamond" ? "0" : "";
    dot.style.transform = `translate(${x}px, ${y}px)${end === "diamond" ? " rotate(45deg)" : ""}`;
  }

  #tabulate(all: readonly (readonly [Line, Picked])[], pixel: number, { layout: { area }, theme }: CursorState): void {
    const document = this.#over.ownerDocument;
    const room = Math.max(FEWEST_ROWS, Math.floor((MOST_HIDDEN * area.height) / ROW_HEIGHT));
    const rows = all.slice(0, all.length > room ? room - 1 : room);
    const smoothed = rows.some(([, row]) => row.smoothed !== null);
    const band = rows.some(([, row]) => row.band !== null);
    const cells = rows.flatMap(([line, row]) => {
      const key = document.createElement("i");
      key.style.background = swatchOf(lookOf(line, theme));
      const texts = [row.label, formatValue(row.value)];
      if (smoothed) texts.push(row.smoothed === null ? "" : `~ ${formatValue(row.smoothed)}`);
      if (band) texts.push(row.band ? `${formatValue(row.band.low)} … ${formatValue(row.band.high)}` : "");
      return [key, ...texts.map((text) => Object.assign(document.createElement("span"), { textContent: text }))];
    });
    this.#table.style.gridTemplateColumns = `repeat(${2 + 1 + Number(smoothed) + Number(band)}, auto)`;
    if (all.length > rows.length) {
      const more = document.createElement("em");
      more.textContent = `${all.length - rows.length} more in the table`;
      cells.push(more);
    }
    this.#table.replaceChildren(...cells);
    const wide = this.#table.offsetWidth;
    // On the side that has room, so that it does not cover what is pointed at.
    const right = pixel + ASIDE + wide <= area.width || pixel < area.width / 2;
    const left = Math.min(right ? pixel + ASIDE : pixel - ASIDE - wide, area.width - wide);
    this.#table.style.transform = `translateX(${Math.round(Math.max(left, -area.left))}px)`;
  }
}

/**
 * One chart on the page: a canvas, and over it the cursor and what a pointer does.
 *
 * Invariant: draws only in `update`, `resize` and where the page's pixel ratio changes; who calls decides how often.
 */

import { Cursor } from "./cursor";
import { Gestures } from "./gestures";
import { FONT_SIZE, type Layout, layOut, placeAtPixel, type Shown } from "./layout";
import type { Line, Range } from "./lines";
import { type Inks, paintChart } from "./paint";
import { lookOf, type Theme } from "./palette";
import { further, pickFrom, sentenceOf } from "./pick";
import { between, movedBy, settled, zoomedBy } from "./shown";
import { onCanvas, type Surface } from "./surface";

export interface PlotState extends Shown {
  readonly theme: Theme;
}

export interface PlotEvents {
  /** The reader chose a stretch of x; null: all of it again. */
  zoomed(range: Range | null): void;
  /** The cursor is at `x`, here or in a chart that is in step with this one; null: nowhere. */
  hovered(x: number | null): void;
  /** What the cursor's label says at `x`. */
  named(x: number): string;
  /** For a screen reader: what the keys led to. */
  said(text: string): void;
}

const MOVES: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -10,
  PageDown: 10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};
/** Whether a chart does something by this key. */
export function isPlotKey({ key }: Pick<KeyboardEvent, "key">): boolean {
  return key in MOVES || ["ArrowUp", "ArrowDown", "+", "=", "-", "0"].includes(key);
}

const CLOSER = 0.5;
const ASIDE = 0.25;

/** Charts whose cursors move together. */
const inStep = new Map<string, Set<Plot>>();

export class Plot {
  readonly #host: HTMLElement;
  readonly #events: PlotEvents;
  readonly #peers: Set<Plot>;
  readonly #canvas: HTMLCanvasElement;
  readonly #surface: Surface;
  readonly #context: CanvasRenderingContext2D;
  /** Takes the pointer; as large as the plotting area. */
  readonly #over: HTMLElement;
  readonly #cursor: Cursor;
  readonly #end = new AbortController();
  #state: PlotState;
  #inks: Inks;
  #layout: Layout;
  /** Of the host; asked for only when it changes, since each question makes the page lay itself out. */
  #size = { width: 0, height: 0 };
  /** Where the cursor is, as a value of x; null: nowhere. */
  #at: number | null = null;
  #here = false;
  /** Where the pointer is, in pixels of the plotting area; null: elsewhere. */
  #pixel: number | null = null;
  /** Line along which keys go. */
  #along = 0;
  /** What was shown when a movement began, in places. */
  #before: Range;
  /** What was asked for and is not shown yet, in places: the next key goes on from there. */
  #wish: Range | null = null;
  #asked = 0;

  /** Charts with the same `syncKey` move their cursors together; `label` is what a screen reader says of the picture. */
  constructor(host: HTMLElement, state: PlotState, events: PlotEvents, syncKey: string, label: string) {
    this.#host = host;
    this.#events = events;
    this.#state = state;
    this.#peers = inStep.get(syncKey) ?? new Set();
    inStep.set(syncKey, this.#peers.add(this));
    const make = <K extends "canvas" | "div">(name: string, tag: K) => {
      const element = host.ownerDocument.createElement(tag);
      element.className = name;
      return host.appendChild(element);
    };
    this.#canvas = make("anr-canvas", "canvas");
    this.#canvas.setAttribute("role", "img");
    this.label(label);
    this.#context = this.#canvas.getContext("2d") as CanvasRenderingContext2D;
    this.#surface = onCanvas(this.#context, getComputedStyle(host).fontFamily || "sans-serif");
    this.#over = make("anr-over", "div");
    this.#inks = inksOf(host);
    this.#size = { width: host.clientWidth, height: host.clientHeight };
    this.#layout = this.#layOut();
    this.#before = this.#layout.x;
    this.#cursor = new Cursor(this.#over);
    new Gestures(this.#over, this.#gestures(), this.#end.signal);
    this.#watchRatio();
    this.#redraw();
  }

  update(state: PlotState): void {
    const recolor = state.theme !== this.#state.theme;
    const { zoom, x, xScale } = this.#state;
    if (state.zoom !== zoom || state.x !== x || state.xScale !== xScale) this.#wish = null;
    this.#state = state;
    if (recolor) this.#inks = inksOf(this.#host);
    this.#redraw();
  }

  label(text: string): void {
    if (this.#canvas.getAttribute("aria-label") !== text) this.#canvas.setAttribute("aria-label", text);
  }

  /** Take the size of the host. */
  resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (!width || !height) return;
    this.#size = { width, height };
    this.#redraw();
  }

  /** Do what a key asks for; returns whether it asks for anything here. */
  key({ key, shiftKey }: Pick<KeyboardEvent, "key" | "shiftKey">): boolean {
    const moves = MOVES[key];
    const { all } = this.#layout;
    const x = this.#shown();
    if (shiftKey && (key === "ArrowLeft" || key === "ArrowRight")) {
      this.#zoom(movedBy(key === "ArrowLeft" ? -ASIDE : ASIDE, x, all));
    } else if (moves) this.#step(moves);
    else if (key === "ArrowUp" || key === "ArrowDown") this.#change(key === "ArrowUp" ? -1 : 1);
    else if (key === "+" || key === "=") this.#zoom(zoomedBy(CLOSER, this.#middle(), x, all));
    else if (key === "-") this.#zoom(zoomedBy(1 / CLOSER, this.#middle(), x, all));
    else if (key === "0") this.#zoom(null);
    else return false;
    return true;
  }

  /** Take the cursor away; returns whether there was one. */
  leave(): boolean {
    const was = this.#at !== null;
    this.#move(null, false);
    return was;
  }

  destroy(): void {
    this.#end.abort();
    cancelAnimationFrame(this.#asked);
    this.#peers.delete(this);
    this.#host.replaceChildren();
  }

  #layOut(): Layout {
    return layOut(this.#state, this.#size, (label) => this.#surface.widthOf(label, FONT_SIZE));
  }

  #redraw(): void {
    const before = this.#layout.area;
    this.#layout = this.#layOut();
    const { area } = this.#layout;
    const moved = before.left !== area.left || before.width !== area.width || before.height !== area.height;
    if (moved || !this.#over.style.width) {
      for (const side of ["left", "top", "width", "height"] as const) this.#over.style[side] = `${area[side]}px`;
    }
    const ratio = this.#host.ownerDocument.defaultView?.devicePixelRatio || 1;
    const [wide, high] = [Math.round(this.#size.width * ratio), Math.round(this.#size.height * ratio)];
    if (this.#canvas.width !== wide || this.#canvas.height !== high) {
      this.#canvas.width = wide;
      this.#canvas.height = high;
    }
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.clearRect(0, 0, this.#size.width, this.#size.height);
    const { lines, theme } = this.#state;
    paintChart(this.#surface, lines, this.#layout, this.#inks, (line) => lookOf(line, theme));
    // What is shown moved on under a pointer that stands still.
    if (this.#pixel !== null) this.#point(this.#pixel);
    this.#showCursor();
  }

  #gestures() {
    return {
      pointed: (pixel: number | null) => {
        this.#pixel = pixel;
        if (pixel === null) this.#move(null, false);
        else this.#point(pixel);
      },
      begin: () => {
        this.#before = this.#layout.x;
      },
      chosen: (from: number, to: number) => {
        const [a, b] = [placeAtPixel(this.#layout, from), placeAtPixel(this.#layout, to)];
        this.#zoom(between(a, b, this.#layout.all));
      },
      moved: (share: number) => this.#soon(movedBy(share, this.#before, this.#layout.all)),
      scaled: (factor: number, pixel: number) => {
        const { x, all } = this.#layout;
        this.#soon(zoomedBy(factor, placeAtPixel(this.#layout, pixel), x, all));
      },
      reset: () => this.#zoom(null),
    };
  }

  #point(pixel: number): void {
    this.#move(this.#layout.xAxis.value(placeAtPixel(this.#layout, pixel)), true);
  }

  /** A page moved to another screen, or zoomed, has other pixels. */
  #watchRatio(): void {
    const view = this.#host.ownerDocument.defaultView;
    const query = view?.matchMedia?.(`(resolution: ${view.devicePixelRatio}dppx)`);
    const changed = () => {
      this.resize();
      this.#watchRatio();
    };
    query?.addEventListener("change", changed, { once: true, signal: this.#end.signal });
  }

  /** What is shown, or will be once the page has drawn what was asked for. */
  #shown(): Range {
    return this.#wish ?? this.#layout.x;
  }

  /** Show a stretch, in places; null: all there is. */
  #zoom(places: Range | null): void {
    const { xAxis, all } = this.#layout;
    this.#wish = places ?? (this.#state.zoom && all);
    this.#events.zoomed(places && { low: xAxis.value(places.low), high: xAxis.value(places.high) });
  }

  /** As `#zoom`, at most once for each frame that is drawn. */
  #soon(places: Range | null): void {
    cancelAnimationFrame(this.#asked);
    this.#asked = requestAnimationFrame(() => this.#zoom(places));
  }

  #middle(): number {
    const { xAxis } = this.#layout;
    const x = this.#shown();
    const at = this.#at === null ? Number.NaN : xAxis.place(this.#at);
    return at >= x.low && at <= x.high ? at : x.low + (x.high - x.low) / 2;
  }

  /** The line along which keys go, among those that have a point. */
  #line(): Line | null {
    const drawn = this.#state.lines.filter(({ length }) => length);
    return drawn[((this.#along % drawn.length) + drawn.length) % drawn.length] ?? null;
  }

  #step(moves: number): void {
    const line = this.#line();
    const x = line && further(line, this.#at, moves);
    if (line && x !== null) this.#goTo(line, x);
  }

  #change(by: number): void {
    this.#along += by;
    const line = this.#line();
    if (line) this.#goTo(line, pickFrom(line, this.#at ?? (line.x[line.length - 1] as number))?.x as number);
  }

  #goTo(line: Line, x: number): void {
    this.#pixel = null;
    this.#move(x, true);
    const picked = pickFrom(line, x);
    if (picked) this.#events.said(sentenceOf(picked, this.#events.named(x)));
    const { xAxis, all } = this.#layout;
    const shown = this.#shown();
    const [at, half] = [xAxis.place(x), (shown.high - shown.low) / 2];
    if (at < shown.low || at > shown.high) this.#zoom(settled({ low: at - half, high: at + half }, all));
  }

  #move(x: number | null, here: boolean): void {
    for (const plot of this.#peers) plot.#follow(x, here && plot === this);
  }

  #follow(x: number | null, here: boolean): void {
    if (x === this.#at && here === this.#here) return;
    const moved = x !== this.#at;
    [this.#at, this.#here] = [x, here];
    if (moved) this.#events.hovered(x);
    this.#showCursor();
  }

  #showCursor(): void {
    const { lines, theme } = this.#state;
    const state = { lines, theme, layout: this.#layout, width: this.#size.width, at: this.#at, here: this.#here };
    this.#cursor.show(state, (x) => this.#events.named(x));
  }
}

/** Return the colours that the page gives to what is no line. */
export function inksOf(host: HTMLElement): Inks {
  const style = getComputedStyle(host);
  const of = (name: string, otherwise: string) => style.getPropertyValue(name).trim() || otherwise;
  return {
    text: of("--anr-dim", "#5f6975"),
    grid: of("--anr-line", "#e3e7eb"),
    alarm: of("--anr-alarm", "#c4321f"),
  };
}

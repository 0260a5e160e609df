/**
 * One chart on the page: a canvas, and over it the cursor, the selection and the dots that follow the pointer.
 *
 * Invariant: draws only in `update`, `resize` and where the page's pixel ratio changes; who calls decides how often.
 */

import { type Axis, type Tick, xAxisOf, yAxisOf } from "./axis";
import { type Line, magnitude, nearest, type Range, xRange, yRange } from "./lines";
import type { XAxis, YAxis } from "./options";
import { FONT_SIZE, type Frame, type Inks, paintAxes, paintLine } from "./paint";
import { colorOf, dashOf, type Theme } from "./palette";

export interface PlotState {
  readonly lines: readonly Line[];
  readonly x: XAxis;
  readonly y: YAxis;
  /** Shown stretch of x; null for all. */
  readonly zoom: Range | null;
  readonly theme: Theme;
}

export interface PlotEvents {
  /** The reader chose a stretch of x; null: all of it again. */
  zoomed(range: Range | null): void;
  /** The cursor is at `x`, here or in a chart that is in step with this one; null: nowhere. */
  hovered(x: number | null): void;
  /** What the cursor's label says at `x`. */
  named(x: number): string;
}

/** The plotting area, in CSS pixels of the host. */
interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const PIXELS_PER_X_TICK = 52;
const PIXELS_PER_Y_TICK = 34;
const X_AXIS_HEIGHT = 20;
const LEAST_LABEL_WIDTH = 30;
const MARGIN = 8;
/** A shorter drag is a click that slipped. */
const LEAST_DRAG = 5;

/** Charts whose cursors move together. */
const inStep = new Map<string, Set<Plot>>();

export class Plot {
  readonly #host: HTMLElement;
  readonly #events: PlotEvents;
  readonly #peers: Set<Plot>;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  /** Takes the pointer; as large as the plotting area. */
  readonly #over: HTMLElement;
  readonly #cursor: HTMLElement;
  /** Says under the axis where the cursor is. */
  readonly #label: HTMLElement;
  readonly #selection: HTMLElement;
  readonly #dots: HTMLElement[] = [];
  readonly #end = new AbortController();
  #state: PlotState;
  #inks: Inks;
  #xAxis: Axis = xAxisOf("step", 1);
  #yAxis: Axis = yAxisOf("linear", 1);
  #x: Range = { low: 0, high: 1 };
  #y: Range = { low: 0, high: 1 };
  #xTicks: readonly Tick[] = [];
  #yTicks: readonly Tick[] = [];
  #area: Area = { left: 0, top: 0, width: 0, height: 0 };
  /** Of the host; asked for only when it changes, since each question makes the page lay itself out. */
  #size = { width: 0, height: 0 };
  /** Where the cursor is, as a value of x; null: nowhere. */
  #at: number | null = null;
  #dragFrom: number | null = null;

  /** Charts with the same `syncKey` move their cursors together. */
  constructor(host: HTMLElement, state: PlotState, events: PlotEvents, syncKey: string) {
    this.#host = host;
    this.#events = events;
    this.#state = state;
    this.#peers = inStep.get(syncKey) ?? new Set();
    inStep.set(syncKey, this.#peers.add(this));
    const make = (name: string, parent: HTMLElement, tag = "div") => {
      const element = host.ownerDocument.createElement(tag);
      element.className = name;
      return parent.appendChild(element);
    };
    this.#canvas = make("anr-canvas", host, "canvas") as HTMLCanvasElement;
    this.#context = this.#canvas.getContext("2d") as CanvasRenderingContext2D;
    this.#over = make("anr-over", host);
    this.#cursor = make("anr-cursor", this.#over);
    this.#selection = make("anr-selection", this.#over);
    this.#label = make("anr-at anr-num", this.#over);
    this.#cursor.hidden = this.#label.hidden = this.#selection.hidden = true;
    this.#inks = this.#readInks();
    this.#size = { width: host.clientWidth, height: host.clientHeight };
    this.#listen();
    this.#redraw();
  }

  update(state: PlotState): void {
    const recolor = state.theme !== this.#state.theme;
    this.#state = state;
    if (recolor) this.#inks = this.#readInks();
    this.#redraw();
  }

  /** Take the size of the host. */
  resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (!width || !height) return;
    this.#size = { width, height };
    this.#redraw();
  }

  /** Put the cursor `moves` points further along the longest line; for keys. */
  step(moves: number): void {
    const longest = [...this.#state.lines].sort((a, b) => b.length - a.length)[0];
    if (!longest?.length) return;
    const here = this.#at === null ? longest.length - 1 - moves : nearest(longest, this.#at);
    const next = Math.min(longest.length - 1, Math.max(0, here + moves));
    this.#move(longest.x[next] as number);
  }

  /** Take the cursor away. */
  leave(): void {
    this.#move(null);
  }

  destroy(): void {
    this.#end.abort();
    this.#peers.delete(this);
    this.#host.replaceChildren();
  }

  #readInks(): Inks {
    const style = getComputedStyle(this.#host);
    const of = (name: string, otherwise: string) => style.getPropertyValue(name).trim() || otherwise;
    return {
      text: of("--anr-dim", "#5f6975"),
      grid: of("--anr-line", "#e3e7eb"),
      alarm: of("--anr-alarm", "#c4321f"),
      family: style.fontFamily || "sans-serif",
    };
  }

  /** Decide axes, ranges, ticks and room for the state and the size. */
  #measure(): void {
    const { lines, x, y, zoom } = this.#state;
    const { width, height } = this.#size;
    const all = xRange(lines);
    const shown = zoom ?? all ?? { low: 0, high: 1 };
    this.#xAxis = xAxisOf(x, Math.max(Math.abs(shown.low), Math.abs(shown.high)));
    this.#yAxis = yAxisOf(y, magnitude(lines));
    const place = (value: number) => this.#yAxis.place(value);
    this.#x = { low: this.#xAxis.place(shown.low), high: this.#xAxis.place(shown.high) };
    this.#y = yRange(lines, shown, place) ?? (all && yRange(lines, all, place)) ?? { low: 0, high: 1 };
    this.#xTicks = this.#xAxis.ticks(this.#x, Math.max(2, Math.floor(width / PIXELS_PER_X_TICK)));
    this.#yTicks = this.#yAxis.ticks(this.#y, Math.max(2, Math.floor(height / PIXELS_PER_Y_TICK)));

    this.#context.font = `${FONT_SIZE}px ${this.#inks.family}`;
    const widthOf = ({ label }: Tick) => this.#context.measureText(label).width;
    const left = Math.ceil(Math.max(LEAST_LABEL_WIDTH, MARGIN + 2 + Math.max(0, ...this.#yTicks.map(widthOf))));
    const last = this.#xTicks.at(-1);
    const room = width - left - MARGIN;
    // The half of the last label that stands beyond the end of the axis.
    const beyond = last ? widthOf(last) / 2 - ((this.#x.high - last.at) / (this.#x.high - this.#x.low)) * room : 0;
    const right = Math.max(MARGIN, Math.ceil(beyond) + 2);
    const area = {
      left,
      top: MARGIN,
      width: Math.max(1, width - left - right),
      height: Math.max(1, height - MARGIN - X_AXIS_HEIGHT),
    };
    const before = this.#area;
    this.#area = area;
    if (before.left === left && before.width === area.width && before.height === area.height) return;
    for (const side of ["left", "top", "width", "height"] as const) this.#over.style[side] = `${area[side]}px`;
  }

  #redraw(): void {
    this.#measure();
    const { left, top, width, height } = this.#area;
    const ratio = this.#host.ownerDocument.defaultView?.devicePixelRatio || 1;
    const [wide, high] = [Math.round(this.#size.width * ratio), Math.round(this.#size.height * ratio)];
    if (this.#canvas.width !== wide || this.#canvas.height !== high) {
      this.#canvas.width = wide;
      this.#canvas.height = high;
    }
    const frame: Frame = {
      ...{ left, top, width, height, x: this.#x, y: this.#y },
      placeX: (value) => this.#xAxis.place(value),
      placeY: (value) => this.#yAxis.place(value),
    };
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.clearRect(0, 0, this.#size.width, this.#size.height);
    paintAxes(this.#context, frame, this.#xTicks, this.#yTicks, this.#inks);
    for (const line of this.#state.lines) {
      const color = colorOf(line.index, this.#state.theme);
      paintLine(this.#context, line, frame, { color, dash: dashOf(line.index), inks: this.#inks });
    }
    this.#showCursor();
  }

  #listen(): void {
    const { signal } = this.#end;
    const on = <K extends keyof HTMLElementEventMap>(type: K, heard: (event: HTMLElementEventMap[K]) => void) =>
      this.#over.addEventListener(type, heard, { signal });
    on("pointermove", (event) => this.#pointed(event));
    on("pointerleave", () => this.#dragFrom === null && this.#move(null));
    on("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      this.#over.setPointerCapture(event.pointerId);
      this.#dragFrom = this.#pixel(event);
    });
    on("pointerup", (event) => this.#released(event));
    on("pointercancel", () => this.#dropSelection());
    on("dblclick", () => this.#events.zoomed(null));
    this.#watchRatio();
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

  #pixel(event: PointerEvent): number {
    const pixel = event.clientX - this.#over.getBoundingClientRect().left;
    return Math.min(this.#area.width, Math.max(0, pixel));
  }

  #valueAt(pixel: number): number {
    return this.#xAxis.value(this.#x.low + (pixel / this.#area.width) * (this.#x.high - this.#x.low));
  }

  #pixelOf(value: number): number {
    return ((this.#xAxis.place(value) - this.#x.low) / (this.#x.high - this.#x.low)) * this.#area.width;
  }

  #pointed(event: PointerEvent): void {
    const pixel = this.#pixel(event);
    this.#move(this.#valueAt(pixel));
    if (this.#dragFrom === null) return;
    const [from, to] = [Math.min(pixel, this.#dragFrom), Math.max(pixel, this.#dragFrom)];
    this.#selection.hidden = to - from < LEAST_DRAG;
    this.#selection.style.transform = `translateX(${from}px)`;
    this.#selection.style.width = `${to - from}px`;
  }

  #released(event: PointerEvent): void {
    const [from, to] = [this.#dragFrom, this.#pixel(event)];
    this.#dropSelection();
    if (from === null || Math.abs(to - from) < LEAST_DRAG) return;
    this.#events.zoomed({ low: this.#valueAt(Math.min(from, to)), high: this.#valueAt(Math.max(from, to)) });
  }

  #dropSelection(): void {
    this.#dragFrom = null;
    this.#selection.hidden = true;
  }

  #move(x: number | null): void {
    for (const plot of this.#peers) plot.#follow(x);
  }

  #follow(x: number | null): void {
    if (x === this.#at) return;
    this.#at = x;
    this.#events.hovered(x);
    this.#showCursor();
  }

  /** A line where the cursor is, and a dot on each curve. */
  #showCursor(): void {
    if (this.#at === null && this.#cursor.hidden) return;
    const pixel = this.#at === null ? -1 : this.#pixelOf(this.#at);
    this.#cursor.hidden = !(pixel >= 0 && pixel <= this.#area.width);
    this.#cursor.style.transform = `translateX(${pixel}px)`;
    this.#showLabel(pixel);
    const lines = this.#cursor.hidden ? [] : this.#state.lines;
    while (this.#dots.length < lines.length) {
      const dot = this.#host.ownerDocument.createElement("i");
      dot.className = "anr-dot";
      this.#dots.push(this.#over.appendChild(dot));
    }
    for (const [i, dot] of this.#dots.entries()) this.#showDot(dot, lines[i]);
  }

  #showLabel(pixel: number): void {
    this.#label.hidden = this.#cursor.hidden;
    if (this.#at === null || this.#label.hidden) return;
    this.#label.textContent = this.#events.named(this.#at);
    const half = this.#label.offsetWidth / 2;
    // Inside the chart, also at its edges.
    const [least, most] = [-this.#area.left, this.#size.width - this.#area.left - 2 * half];
    const at = Math.min(Math.max(pixel - half, least), most);
    this.#label.style.transform = `translateX(${Math.round(at)}px)`;
  }

  #showDot(dot: HTMLElement, line: Line | undefined): void {
    dot.hidden = true;
    const entry = line && this.#at !== null ? nearest(line, this.#at) : -1;
    if (!line || entry < 0) return;
    const x = this.#pixelOf(line.x[entry] as number);
    const height = this.#yAxis.place((line.smoothed ?? line.y)[entry] as number);
    const y = this.#area.height * (1 - (height - this.#y.low) / (this.#y.high - this.#y.low));
    dot.hidden = !(x >= 0 && x <= this.#area.width && y >= -1 && y <= this.#area.height + 1);
    dot.style.background = colorOf(line.index, this.#state.theme);
    dot.style.transform = `translate(${x}px, ${y}px)`;
  }
}

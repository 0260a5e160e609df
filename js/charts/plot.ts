/**
 * One chart on the page: uPlot gives canvas, axes, cursor and selection; what is drawn comes from `Line`s.
 *
 * Invariant: draws only in `update`, `resize` and `recolor`; who calls decides how often.
 */

import uPlot from "uplot";
import { type Axis, type Tick, xAxisOf, yAxisOf } from "./axis";
import { type Line, magnitude, nearest, type Range, xRange, yRange } from "./lines";
import type { XAxis, YAxis } from "./options";
import { type Ink, paintLine } from "./paint";
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
}

interface Inks {
  readonly text: string;
  readonly grid: string;
  readonly alarm: string;
  readonly font: string;
}

const FONT_SIZE = 10;
const PIXELS_PER_X_TICK = 62;
const PIXELS_PER_Y_TICK = 34;
const X_AXIS_HEIGHT = 20;
const TOP = 8;

export class Plot {
  readonly #host: HTMLElement;
  readonly #events: PlotEvents;
  readonly #plot: uPlot;
  readonly #dots: HTMLElement[] = [];
  #state: PlotState;
  #xAxis: Axis = xAxisOf("step", 1);
  #yAxis: Axis = yAxisOf("linear", 1);
  #x: Range = { low: 0, high: 1 };
  #y: Range = { low: 0, high: 1 };
  #xTicks: Tick[] = [];
  #yTicks: Tick[] = [];
  #inks: Inks;

  /** Charts with the same `syncKey` move their cursors together. */
  constructor(host: HTMLElement, state: PlotState, events: PlotEvents, syncKey: string) {
    this.#host = host;
    this.#events = events;
    this.#state = state;
    this.#inks = this.#readInks();
    this.#measure();
    this.#plot = new uPlot(this.#options(syncKey), this.#data(), host);
  }

  update(state: PlotState): void {
    const recolor = state.theme !== this.#state.theme;
    this.#state = state;
    if (recolor) this.#inks = this.#readInks();
    this.#measure();
    this.#plot.setData(this.#data());
    this.#showDots();
  }

  /** Take the size of the host. */
  resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (!width || !height || (width === this.#plot.width && height === this.#plot.height)) return;
    this.#measure();
    this.#plot.setSize({ width, height });
  }

  /** Put the cursor `moves` points further along the longest line; for keys. */
  step(moves: number): void {
    const longest = [...this.#state.lines].sort((a, b) => b.length - a.length)[0];
    if (!longest?.length) return;
    const { left } = this.#plot.cursor;
    const here = left !== undefined && left >= 0 ? nearest(longest, this.#at(left)) : -1;
    const next = here < 0 ? longest.length - 1 : Math.min(longest.length - 1, Math.max(0, here + moves));
    const place = this.#plot.valToPos(this.#xAxis.place(longest.x[next] as number), "x");
    this.#plot.setCursor({ left: place, top: 1 });
  }

  /** Take the cursor away. */
  leave(): void {
    this.#plot.setCursor({ left: -10, top: -10 });
  }

  destroy(): void {
    this.#plot.destroy();
  }

  #readInks(): Inks {
    const style = getComputedStyle(this.#host);
    const of = (name: string, otherwise: string) => style.getPropertyValue(name).trim() || otherwise;
    return {
      text: of("--anr-dim", "#66707b"),
      grid: of("--anr-line", "#e3e7eb"),
      alarm: of("--anr-alarm", "#c4321f"),
      font: style.fontFamily || "sans-serif",
    };
  }

  /** Decide axes, ranges and ticks for the state and the size. */
  #measure(): void {
    const { lines, x, y, zoom } = this.#state;
    const all = xRange(lines);
    const shown = zoom ?? all ?? { low: 0, high: 1 };
    this.#xAxis = xAxisOf(x, Math.max(Math.abs(shown.low), Math.abs(shown.high)));
    this.#yAxis = yAxisOf(y, magnitude(lines));
    const place = (value: number) => this.#yAxis.place(value);
    this.#x = { low: this.#xAxis.place(shown.low), high: this.#xAxis.place(shown.high) };
    this.#y = yRange(lines, shown, place) ?? (all && yRange(lines, all, place)) ?? { low: 0, high: 1 };
    const { clientWidth: width, clientHeight: height } = this.#host;
    this.#xTicks = this.#xAxis.ticks(this.#x, Math.max(2, Math.floor(width / PIXELS_PER_X_TICK)));
    this.#yTicks = this.#yAxis.ticks(this.#y, Math.max(2, Math.floor(height / PIXELS_PER_Y_TICK)));
  }

  /** Only the corners: lines are drawn by us, uPlot needs to know what they span. */
  #data(): uPlot.AlignedData {
    return [
      [this.#x.low, this.#x.high],
      [this.#y.low, this.#y.high],
    ];
  }

  #options(syncKey: string): uPlot.Options {
    const font = `${FONT_SIZE}px ${this.#inks.font}`;
    const axis = (ticks: () => Tick[]): uPlot.Axis => ({
      font,
      stroke: () => this.#inks.text,
      ticks: { show: false },
      // Any increment will do, since `splits` decides; uPlot drops the axis where it finds none.
      incrs: (_plot, _axis, low, high) => [Math.max(5, high - low)],
      splits: () => ticks().map(({ at }) => at),
      values: () => ticks().map(({ label }) => label),
    });
    const grid = { stroke: () => this.#inks.grid, width: 1 };
    return {
      width: this.#host.clientWidth || 300,
      height: this.#host.clientHeight || 150,
      padding: [TOP, () => this.#rightPadding(), 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, range: () => [this.#x.low, this.#x.high] },
        y: { range: () => [this.#y.low, this.#y.high] },
      },
      axes: [
        { ...axis(() => this.#xTicks), size: X_AXIS_HEIGHT, gap: 4, grid: { show: false } },
        { ...axis(() => this.#yTicks), size: () => this.#labelWidth(), gap: 6, grid },
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 5 },
        bind: { dblclick: () => () => (this.#events.zoomed(null), null) },
        sync: {
          key: syncKey,
          scales: ["x", null],
          filters: { pub: (type) => type === "mousemove" || type === "mouseleave", sub: () => true },
        },
      },
      hooks: {
        draw: [(plot) => this.#paint(plot)],
        setCursor: [() => this.#hover()],
        setSelect: [(plot) => this.#selected(plot)],
      },
    };
  }

  #textWidth(text: string): number {
    const context = this.#plot?.ctx;
    if (!context) return text.length * FONT_SIZE * 0.6;
    const before = context.font;
    context.font = `${FONT_SIZE}px ${this.#inks.font}`;
    const { width } = context.measureText(text);
    context.font = before;
    return width;
  }

  #labelWidth(): number {
    return Math.max(30, 10 + Math.ceil(Math.max(0, ...this.#yTicks.map(({ label }) => this.#textWidth(label)))));
  }

  /** Room for the half of the last label that stands beyond the end of the axis. */
  #rightPadding(): number {
    const last = this.#xTicks.at(-1);
    if (!last) return TOP;
    const width = (this.#host.clientWidth || 300) - this.#labelWidth() - TOP;
    const beyond = this.#textWidth(last.label) / 2 - ((this.#x.high - last.at) / (this.#x.high - this.#x.low)) * width;
    return Math.max(TOP, Math.ceil(beyond) + 2);
  }

  #paint(plot: uPlot): void {
    const { left, top, width, height } = plot.bbox;
    const ratio = uPlot.pxRatio;
    const frame = {
      ...{ left, top, width, height, ratio, x: this.#x, y: this.#y },
      placeX: (value: number) => this.#xAxis.place(value),
      placeY: (value: number) => this.#yAxis.place(value),
    };
    const { ctx: context } = plot;
    context.save();
    context.beginPath();
    context.rect(left - 3 * ratio, top - 3 * ratio, width + 6 * ratio, height + 6 * ratio);
    context.clip();
    const font = `${(FONT_SIZE - 1) * ratio}px ${this.#inks.font}`;
    for (const line of this.#state.lines) {
      const ink: Ink = { ...this.#colors(line), alarm: this.#inks.alarm, font };
      paintLine(context, line, frame, ink);
    }
    context.restore();
  }

  #colors(line: Line): Pick<Ink, "color" | "dash"> {
    return { color: colorOf(line.index, this.#state.theme), dash: dashOf(line.index) };
  }

  #at(left: number): number {
    return this.#xAxis.value(this.#plot.posToVal(left, "x"));
  }

  #hover(): void {
    const { left } = this.#plot.cursor;
    this.#events.hovered(left === undefined || left < 0 ? null : this.#at(left));
    this.#showDots();
  }

  /** A dot on each line where the cursor is. */
  #showDots(): void {
    const { left } = this.#plot.cursor;
    const lines = left === undefined || left < 0 ? [] : this.#state.lines;
    while (this.#dots.length < lines.length) {
      const dot = this.#host.ownerDocument.createElement("i");
      dot.className = "anr-dot";
      this.#plot.over.append(dot);
      this.#dots.push(dot);
    }
    for (const [i, dot] of this.#dots.entries()) {
      const line = lines[i];
      const entry = line && left !== undefined ? nearest(line, this.#at(left)) : -1;
      const y = line && entry >= 0 ? this.#yAxis.place((line.smoothed ?? line.y)[entry] as number) : Number.NaN;
      const x = line && entry >= 0 ? this.#plot.valToPos(this.#xAxis.place(line.x[entry] as number), "x") : -1;
      dot.hidden = !Number.isFinite(y) || x < 0 || x > this.#plot.over.clientWidth;
      if (dot.hidden || !line) continue;
      dot.style.background = this.#colors(line).color;
      dot.style.transform = `translate(${x}px, ${this.#plot.valToPos(y, "y")}px)`;
    }
  }

  #selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 1) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#events.zoomed({ low: this.#at(left), high: this.#at(left + width) });
  }
}

/** What the enlarged chart needs of plotly.js, and how lines become its traces. Pure. */

import type { Line, Range } from "./lines";
import { type ChartOptions, nameOfX, xScaleOf } from "./options";
import { lookOf, type Theme } from "./palette";

/** The part of plotly.js that is used; see `plotly/index.js` for what is built. */
export interface Plotly {
  react(host: HTMLElement, data: object[], layout: object, config: object): Promise<unknown>;
  purge(host: HTMLElement): void;
  Plots: { resize(host: HTMLElement): void };
}

/** The element that plotly draws into, once it has. */
export interface PlotlyHost {
  on(event: "plotly_relayout", heard: (changed: Readonly<Record<string, unknown>>) => void): void;
}

/** Rejects with a sentence that says why plotly is not to be had. */
export type LoadPlotly = () => Promise<Plotly>;

const MAX_MARKS = 50;

/** Plotly reads some HTML in texts; a metric's name is only ever text. */
export function plainText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function transparent(color: string, alpha: number): string {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

/** A null breaks plotly's line where points had no number. */
function withGaps(
  line: Line,
  values: Float64Array,
  x: (value: number) => number,
): { x: number[]; y: (number | null)[] } {
  const [xs, ys]: [number[], (number | null)[]] = [[], []];
  for (let i = 0; i < line.length; i++) {
    const at = x(line.x[i] as number);
    if (i && (line.gap[i] as number) > 0) {
      xs.push(at);
      ys.push(null);
    }
    xs.push(at);
    ys.push(values[i] as number);
  }
  return { x: xs, y: ys };
}

/** Return plotly's traces for lines. */
export function tracesOf(lines: readonly Line[], options: Pick<ChartOptions, "x">, theme: Theme): object[] {
  const x = (value: number) => (options.x === "wall" ? value * 1000 : value);
  // Those of other runs lie behind.
  const ordered = [...lines.filter(({ other }) => other), ...lines.filter(({ other }) => !other)];
  return ordered.flatMap((line) => {
    const { dash, weight, alpha, ...look } = lookOf(line, theme);
    const color = alpha < 1 ? transparent(look.color, alpha) : look.color;
    const name = plainText(line.label);
    const stroke = {
      color,
      width: 1.8 * weight,
      dash: dash.length ? dash.map((part) => `${part}px`).join(",") : "solid",
    };
    const faint = { type: "scatter", mode: "lines", showlegend: false, hoverinfo: "skip", legendgroup: name };
    const fill = transparent(look.color, 0.16);
    const band =
      line.band && !line.other
        ? [
            { ...faint, ...withGaps(line, line.band.low, x), line: { width: 0 } },
            { ...faint, ...withGaps(line, line.band.high, x), line: { width: 0 }, fill: "tonexty", fillcolor: fill },
          ]
        : [];
    const raw =
      line.smoothed && !line.other
        ? [{ ...faint, ...withGaps(line, line.y, x), line: { color: transparent(color, 0.35), width: 1 } }]
        : [];
    const strong = { type: "scatter", mode: line.length > 1 ? "lines" : "markers", name, legendgroup: name };
    return [
      ...band,
      ...raw,
      { ...strong, ...withGaps(line, line.smoothed ?? line.y, x), line: stroke, marker: { color } },
    ];
  });
}

/** Colours of the page, as they are now. */
export interface PlotlyInks {
  readonly text: string;
  readonly dim: string;
  readonly grid: string;
  readonly background: string;
  readonly alarm: string;
  readonly font: string;
}

type Axes = Pick<ChartOptions, "x" | "xScale" | "y">;

function titleOfX(x: ChartOptions["x"]): string {
  if (x === "wall") return "";
  return x === "relative" ? "seconds since the start" : plainText(nameOfX(x));
}

/** Return what plotly's axis of x takes for a place. */
function toPlotly(x: number, options: Axes): number {
  if (options.x === "wall") return x * 1000;
  return xScaleOf(options) === "log" ? Math.log10(x) : x;
}

function fromPlotly(place: unknown, options: Axes): number {
  if (options.x === "wall") {
    // Plotly writes dates without a zone and means the reader's; it leaves out what is zero.
    const [day = "", clock = "00:00"] = String(place).split(" ");
    return Date.parse(`${day}T${clock}Z`) / 1000;
  }
  return xScaleOf(options) === "log" ? 10 ** Number(place) : Number(place);
}

/** Return what plotly shows of x after a change: null for all, undefined where x did not change. */
export function zoomOf(changed: Readonly<Record<string, unknown>>, options: Axes): Range | null | undefined {
  if (changed["xaxis.autorange"]) return null;
  const whole = changed["xaxis.range"];
  const [from, to] = Array.isArray(whole) ? whole : [changed["xaxis.range[0]"], changed["xaxis.range[1]"]];
  if (from === undefined || to === undefined) return undefined;
  const [low, high] = [fromPlotly(from, options), fromPlotly(to, options)];
  return low < high ? { low, high } : undefined;
}

/**
 * Return plotly's layout; marks of values that are no number are dotted lines with a name.
 *
 * `zoom` is what is shown at first; later the reader's own zoom is kept.
 */
export function layoutOf(lines: readonly Line[], options: Axes, inks: PlotlyInks, zoom: Range | null = null): object {
  const marks = lines.flatMap((line) => line.marks).slice(0, MAX_MARKS);
  const place = (x: number) => (options.x === "wall" ? x * 1000 : x);
  const axis = { gridcolor: inks.grid, linecolor: inks.grid, zeroline: false, automargin: true };
  return {
    autosize: true,
    margin: { l: 56, r: 20, t: 16, b: 44 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: inks.font, size: 12, color: inks.dim },
    hovermode: "x unified",
    hoverlabel: { bgcolor: inks.background, bordercolor: inks.grid, font: { color: inks.text } },
    showlegend: lines.length > 1,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: inks.dim, activecolor: inks.text },
    // Keeps the reader's zoom while points arrive.
    uirevision: `${options.x} ${options.xScale} ${options.y}`,
    xaxis: {
      ...axis,
      type: options.x === "wall" ? "date" : xScaleOf(options),
      title: { text: titleOfX(options.x) },
      ...(zoom && { range: [toPlotly(zoom.low, options), toPlotly(zoom.high, options)] }),
    },
    yaxis: { ...axis, type: options.y, exponentformat: "e" },
    shapes: marks.map((mark) => ({
      ...{ type: "line", yref: "paper", y0: 0, y1: 1, x0: place(mark.x), x1: place(mark.x) },
      line: { color: inks.alarm, width: 1, dash: "dot" },
    })),
    annotations: marks.map((mark) => ({
      ...{ x: place(mark.x), yref: "paper", y: 1, yanchor: "bottom", showarrow: false, text: mark.kind },
      font: { color: inks.alarm, size: 11 },
    })),
  };
}

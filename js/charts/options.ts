/** What a reader can set for all charts of a view. */

/** Another metric of the run as x, by its name. */
export type MetricAxis = `metric:${string}`;
export type XAxis = "step" | "relative" | "wall" | MetricAxis;
export type Scale = "linear" | "log";

export interface ChartOptions {
  /** 0 (off) to below 1: weight of the neighbour one point away, for series that are noisy. */
  readonly smoothing: number;
  readonly x: XAxis;
  readonly xScale: Scale;
  readonly y: Scale;
  /** Whether a few points far from all others are left outside of the chart. */
  readonly robust: boolean;
  /** Whether charts whose names begin alike stand together. */
  readonly grouped: boolean;
  /** Shows the charts that have this text in a metric's name. */
  readonly filter: string;
}

export const DEFAULT_OPTIONS: ChartOptions = {
  smoothing: 0.8,
  x: "step",
  xScale: "linear",
  y: "linear",
  robust: false,
  grouped: true,
  filter: "",
};

const METRIC = "metric:";

/** Return the metric that is x; null where x is a step or a time. */
export function metricOf(x: XAxis): string | null {
  return x.startsWith(METRIC) ? x.slice(METRIC.length) : null;
}

export function metricAxis(metric: string): MetricAxis {
  return `${METRIC}${metric}`;
}

/** What is drawn of the machine is drawn over time: its steps are none of the training. */
export function optionsFor(section: "charts" | "system", options: ChartOptions): ChartOptions {
  if (section === "charts" || options.x === "wall") return options;
  return { ...options, x: "relative", xScale: "linear" };
}

/** Return the scale of x as it is drawn: dates have no logarithm. */
export function xScaleOf({ x, xScale }: Pick<ChartOptions, "x" | "xScale">): Scale {
  return x === "wall" ? "linear" : xScale;
}

/** Return the name of x, for tables and files. */
export function nameOfX(x: XAxis): string {
  return metricOf(x) ?? { step: "step", relative: "seconds", wall: "time" }[x as "step"];
}

/** What a reader can set for all charts of a view. */

export type XAxis = "step" | "relative" | "wall";
export type YAxis = "linear" | "log";

export interface ChartOptions {
  /** 0 (off) to below 1: weight of the neighbour one point away, for series that are noisy. */
  readonly smoothing: number;
  readonly x: XAxis;
  readonly y: YAxis;
  /** Shows the charts that have this text in a metric's name. */
  readonly filter: string;
}

export const DEFAULT_OPTIONS: ChartOptions = { smoothing: 0.8, x: "step", y: "linear", filter: "" };

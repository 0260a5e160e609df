/** What the widget and the dashboard draw with. */

import "./charts.css";

export * from "./format";
export { ChartGrid, type ChartGridProps } from "./grid";
export { type ChartSpec, filterCharts, groupMetrics } from "./group";
export { History } from "./history";
export { useHistory, useTheme } from "./hooks";
export { type ChartOptions, DEFAULT_OPTIONS } from "./options";
export { colorOf, type Theme } from "./palette";
export type { LoadPlotly, Plotly } from "./plotly";
export type { Point, Series } from "./series";
export { Sparkline } from "./sparkline";
export { currentTheme, watchTheme } from "./theme";
export { ChartToolbar, type ChartToolbarProps } from "./toolbar";

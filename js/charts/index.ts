/** What the widget and the dashboard draw with. */

import "./charts.css";

export { type Choices, DEFAULT_CHOICES } from "./choices";
export { cell, csvOfFrames, fileName, isoTime, numberText } from "./csv";
export type { DetailSource } from "./detail";
export * from "./format";
export { ChartGrid, type ChartGridProps } from "./grid";
export { type ChartSpec, filterCharts, groupMetrics, isOfMachine, ofTraining } from "./group";
export { History } from "./history";
export { useHistory, useTheme } from "./hooks";
export { inStorage, type Keeper, useChoices } from "./keeper";
export type { ChartOptions } from "./options";
export { colorOf, type Theme } from "./palette";
export { save } from "./picture";
export type { LoadPlotly, Plotly } from "./plotly";
export { type OtherRun, OWN } from "./runs";
export type { Point, Series } from "./series";
export { detailFrom } from "./server_detail";
export { Sparkline } from "./sparkline";
export { stretchOf } from "./stretch";
export { currentTheme, watchTheme } from "./theme";
export { ChartToolbar, type ChartToolbarProps } from "./toolbar";

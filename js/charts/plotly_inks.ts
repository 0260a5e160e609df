/** Takes the colours that plotly draws with from the page. */

import type { PlotlyInks } from "./plotly";

export function plotlyInksOf(host: HTMLElement): PlotlyInks {
  const style = getComputedStyle(host);
  const of = (name: string) => style.getPropertyValue(name).trim();
  const [text, dim, grid] = [of("--anr-fg"), of("--anr-dim"), of("--anr-line")];
  return { text, dim, grid, background: of("--anr-bg"), alarm: of("--anr-alarm"), font: style.fontFamily };
}

/** All charts of one section of a run, in step with each other: one cursor, one zoom. */

import { useMemo, useState } from "preact/hooks";
import { ChartCard } from "./card";
import { EnlargedChart } from "./enlarged";
import { type ChartSpec, filterCharts, groupMetrics } from "./group";
import type { History } from "./history";
import { useHistory } from "./hooks";
import type { Range } from "./lines";
import type { ChartOptions } from "./options";
import type { Theme } from "./palette";
import type { LoadPlotly } from "./plotly";

export interface ChartGridProps {
  readonly history: History;
  readonly options: ChartOptions;
  readonly section?: ChartSpec["section"];
  /** Where relative time begins, in seconds since the Unix epoch. */
  readonly start: number;
  readonly theme: Theme;
  /** Fetches plotly for the enlarged chart; asked once, when it is first needed. */
  readonly loadPlotly: LoadPlotly;
  /** Metrics whose charts stand first. */
  readonly first?: readonly string[];
  /** What to say while there is no metric. */
  readonly empty?: string;
}

let grids = 0;

function inOrder(charts: readonly ChartSpec[], first: readonly string[]): ChartSpec[] {
  const rank = ({ key, series }: ChartSpec) => {
    const at = first.findIndex((name) => name === key || series.some(({ metric }) => metric === name));
    return at < 0 ? first.length : at;
  };
  return [...charts].sort((a, b) => rank(a) - rank(b));
}

export function ChartGrid(props: ChartGridProps) {
  const { history, options, section = "charts", first = [], empty = "waiting for the first point…" } = props;
  useHistory(history);
  const [syncKey] = useState(() => `anonrun-${++grids}`);
  const [zoom, setZoom] = useState<{ x: ChartOptions["x"]; range: Range } | null>(null);
  const [enlarged, setEnlarged] = useState<string | null>(null);
  const known = [...history.series.keys()].join("\n");
  const all = useMemo(
    () => inOrder(groupMetrics(known ? known.split("\n") : []), first).filter((one) => one.section === section),
    [known, section],
  );
  const charts = filterCharts(all, options.filter);
  const large = all.find(({ key }) => key === enlarged);
  // A stretch of steps means nothing once x is time.
  const range = zoom?.x === options.x ? zoom.range : null;
  const shared = { history, options, start: props.start, theme: props.theme, zoom: range, syncKey };
  const onZoom = (chosen: Range | null) => setZoom(chosen && { x: options.x, range: chosen });
  return (
    <div class="anr-charts">
      {range && (
        <button type="button" class="anr-reset" onClick={() => setZoom(null)}>
          Reset zoom
        </button>
      )}
      {!charts.length && (
        <p class="anr-empty">{all.length ? `No metric's name has “${options.filter.trim()}” in it.` : empty}</p>
      )}
      <div class="anr-grid">
        {charts.map((chart) => (
          <ChartCard
            key={chart.key}
            chart={chart}
            {...shared}
            onZoom={onZoom}
            onEnlarge={() => setEnlarged(chart.key)}
          />
        ))}
      </div>
      {large && (
        <EnlargedChart
          key={large.key}
          chart={large}
          {...shared}
          loadPlotly={props.loadPlotly}
          onClose={() => setEnlarged(null)}
        />
      )}
    </div>
  );
}

/** One chart looked at closely, in a dialog: drawn by plotly, and until that is there, or where it is
 * not to be had, as in the grid but large. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { ChartView } from "./card";
import { ChartPlot } from "./chart_plot";
import type { ChartSpec } from "./group";
import { useHistory } from "./hooks";
import type { Line } from "./lines";
import { type LoadPlotly, layoutOf, type Plotly, type PlotlyHost, tracesOf, zoomOf } from "./plotly";
import { plotlyInksOf } from "./plotly_inks";
import { ValueTable } from "./table";
import { useLines } from "./use_lines";

interface EnlargedProps extends ChartView {
  readonly chart: ChartSpec;
  readonly loadPlotly: LoadPlotly;
  onClose(): void;
}

type Drawn = { by: "canvas"; why: string | null } | { by: "plotly"; plotly: Plotly };

const REDRAW_MS = 500;

function PlotlyChart(props: { plotly: Plotly; lines: readonly Line[] } & EnlargedProps) {
  const { plotly, lines, options, theme } = props;
  const host = useRef<HTMLDivElement>(null);
  const drawnAt = useRef(0);
  const now = useRef(props);
  now.current = props;
  useEffect(() => {
    const draw = () => {
      if (!host.current) return;
      drawnAt.current = performance.now();
      const config = { modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
      const first = !(host.current as Partial<PlotlyHost>).on;
      const layout = layoutOf(lines, options, plotlyInksOf(host.current), first ? now.current.zoom : null);
      void plotly.react(host.current, tracesOf(lines, options, theme), layout, config);
      if (!first) return;
      // Finer points are asked for as soon as there is room for them.
      (host.current as unknown as PlotlyHost).on("plotly_relayout", (changed) => {
        const chosen = zoomOf(changed, now.current.options);
        if (chosen !== undefined) now.current.onZoom(chosen);
      });
    };
    const wait = Math.max(0, drawnAt.current + REDRAW_MS - performance.now());
    const timer = setTimeout(draw, drawnAt.current ? wait : 0);
    return () => clearTimeout(timer);
  }, [plotly, lines, options, theme]);
  useEffect(() => {
    const element = host.current as HTMLDivElement;
    const observer = new ResizeObserver(() => {
      if (drawnAt.current && element.clientWidth) plotly.Plots.resize(element);
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plotly.purge(element);
    };
  }, [plotly]);
  return <div ref={host} class="anr-plotly" />;
}

export function EnlargedChart(props: EnlargedProps) {
  useHistory(props.history);
  const dialog = useRef<HTMLDialogElement>(null);
  const [drawn, setDrawn] = useState<Drawn>({ by: "canvas", why: null });
  const lines = useLines(props, true);
  useEffect(() => {
    dialog.current?.showModal();
    let open = true;
    props.loadPlotly().then(
      (plotly) => open && setDrawn({ by: "plotly", plotly }),
      (error: unknown) =>
        open && setDrawn({ by: "canvas", why: error instanceof Error ? error.message : String(error) }),
    );
    return () => {
      open = false;
    };
  }, []);
  const title = props.chart.title;
  return (
    <dialog ref={dialog} class="anr-dialog" aria-label={`Chart of ${title}`} onClose={props.onClose}>
      <header>
        <b class="anr-title">{title}</b>
        {drawn.by === "canvas" && (
          <span class="anr-dim" role="status">
            {drawn.why === null ? <i class="anr-spinner" /> : `${drawn.why} Drawn in the simple form instead.`}
            {drawn.why === null && "preparing the chart to look at closely…"}
          </span>
        )}
        <button type="button" class="anr-quiet" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </header>
      {drawn.by === "plotly" ? (
        <PlotlyChart {...props} plotly={drawn.plotly} lines={lines} />
      ) : (
        <ChartPlot {...props} title={title} lines={lines} visible label={`Chart of ${title}`} />
      )}
      <ValueTable title={title} lines={lines} options={props.options} zoom={props.zoom} />
    </dialog>
  );
}

/** One chart with its title, legend and current values. Draws only while it can be seen. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatClock, formatInstant, formatValue, unitOf } from "./format";
import type { ChartSpec } from "./group";
import type { History } from "./history";
import { type Line, lineOf, nearest, notPositive, type Range } from "./lines";
import type { ChartOptions } from "./options";
import { colorOf, type Theme } from "./palette";
import { Plot } from "./plot";
import type { Series } from "./series";

export interface ChartCardProps {
  readonly chart: ChartSpec;
  readonly history: History;
  readonly options: ChartOptions;
  /** Where relative time begins, in seconds since the Unix epoch. */
  readonly start: number;
  readonly theme: Theme;
  readonly zoom: Range | null;
  readonly syncKey: string;
  onZoom(range: Range | null): void;
  /** Absent where the chart is large already. */
  onEnlarge?: () => void;
}

/** Return the lines of a chart, made again only when one of its series or an option has changed. */
export function useLines(
  { chart, history, options, start }: Pick<ChartCardProps, "chart" | "history" | "options" | "start">,
  wanted: boolean,
): readonly Line[] {
  const held = useRef<{ of: readonly unknown[]; lines: readonly Line[] }>({ of: [], lines: [] });
  if (!wanted) return held.current.lines;
  const present = chart.series.map(({ metric }) => history.series.get(metric));
  const of = [start, options.smoothing, options.x, ...present.flatMap((series) => [series, series?.total])];
  if (of.length !== held.current.of.length || of.some((value, i) => value !== held.current.of[i])) {
    const lines = present.flatMap((series, index) => {
      const shown = { index, label: chart.series[index]?.label ?? "" };
      return series ? [lineOf(series, shown, options, start)] : [];
    });
    held.current = { of, lines };
  }
  return held.current.lines;
}

/** Return x as the reader sees it: a step, a clock since the start, or a date. */
export function formatX(x: number, options: Pick<ChartOptions, "x">): string {
  if (options.x === "step") return `step ${formatValue(Math.round(x), 15)}`;
  return options.x === "relative" ? formatClock(x) : formatInstant(new Date(x * 1000));
}

function describe(chart: ChartSpec, series: readonly (Series | undefined)[]): string {
  const parts = series.map((one, i) => {
    const label = chart.series[i]?.label ?? "";
    return one?.last ? `${label} ${formatValue(one.last.value)} at step ${one.last.step}` : `${label}: no points`;
  });
  return `Chart of ${chart.title}. ${parts.join("; ")}. Arrow keys move the cursor.`;
}

function remark(lines: readonly Line[], options: ChartOptions, waiting: boolean): string {
  if (waiting) return "waiting for the first point…";
  const drawn = lines.reduce((sum, line) => sum + line.length, 0);
  if (!drawn) return "no value here is a finite number";
  const hidden = options.y === "log" ? notPositive(lines) : 0;
  if (!hidden) return "";
  return hidden === drawn ? "no value above 0 for a logarithmic axis" : `${hidden} not above 0, not shown`;
}

/** A key and a number for each series; the numbers are those at the cursor while there is one. */
function Values({ chart, values, theme }: { chart: ChartSpec; values: readonly (number | null)[]; theme: Theme }) {
  return (
    <span class="anr-values anr-num">
      {chart.series.map(({ metric, label }, i) => {
        const value = values[i];
        return (
          <span key={metric} title={metric}>
            {chart.series.length > 1 && <i style={{ background: colorOf(i, theme) }} />}
            {chart.series.length > 1 && <span class="anr-label">{label}</span>}
            <b>{value === null || value === undefined ? "–" : formatValue(value)}</b>
            {unitOf(metric) && <small>{unitOf(metric)}</small>}
          </span>
        );
      })}
    </span>
  );
}

/** The drawing alone, with its cursor. */
export function ChartPlot(
  props: Omit<ChartCardProps, "onEnlarge" | "history"> & {
    readonly lines: readonly Line[];
    readonly visible: boolean;
    readonly label: string;
    onHover?: (x: number | null) => void;
  },
) {
  const { lines, options, theme, zoom, visible } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const events = useRef(props);
  events.current = props;

  useEffect(() => {
    if (!host.current || !visible) return;
    const state = { lines, zoom, theme, x: options.x, y: options.y };
    if (plot.current) plot.current.update(state);
    else {
      const { syncKey } = events.current;
      const heard = {
        zoomed: (range: Range | null) => events.current.onZoom(range),
        hovered: (x: number | null) => events.current.onHover?.(x),
        named: (x: number) => formatX(x, events.current.options),
      };
      plot.current = new Plot(host.current, state, heard, syncKey);
    }
  }, [lines, options.x, options.y, theme, zoom, visible]);

  useEffect(() => {
    const observer = new ResizeObserver(() => plot.current?.resize());
    if (host.current) observer.observe(host.current);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);

  const keys = (event: KeyboardEvent) => {
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (moves) plot.current?.step(event.shiftKey ? moves * 10 : moves);
    else if (event.key === "Escape") plot.current?.leave();
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={host}
      class="anr-plot"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the cursor here
      tabIndex={0}
      role="img"
      aria-label={props.label}
      onKeyDown={keys}
      onBlur={() => plot.current?.leave()}
    />
  );
}

/** Whether `host` is on the screen, or nearly. */
function useVisible(host: { readonly current: Element | null }): boolean {
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => setVisible(entries.at(-1)?.isIntersecting ?? true), {
      rootMargin: "120px",
    });
    if (host.current) observer.observe(host.current);
    return () => observer.disconnect();
  }, []);
  return visible;
}

export function ChartCard(props: ChartCardProps) {
  const { chart, history, options, theme } = props;
  const host = useRef<HTMLElement>(null);
  const visible = useVisible(host);
  const [at, setAt] = useState<number | null>(null);
  const lines = useLines(props, visible);
  const series = chart.series.map(({ metric }) => history.series.get(metric));
  const values = useMemo(
    () => series.map((one, i) => (at === null ? (one?.last?.value ?? null) : valueAt(lines, i, at))),
    [at, lines, ...series.map((one) => one?.total)],
  );
  const note = remark(lines, options, visible && !series.some((one) => one?.total));
  return (
    <section class="anr-card" ref={host}>
      <header>
        <b class="anr-title" title={chart.title}>
          {chart.title}
        </b>
        <Values chart={chart} values={values} theme={theme} />
        {props.onEnlarge && (
          <button
            type="button"
            class="anr-icon"
            aria-label={`Enlarge ${chart.title}`}
            title="Enlarge"
            onClick={props.onEnlarge}
          >
            <svg viewBox="0 0 12 12" aria-hidden="true">
              <path d="M7.5 1.5h3v3M4.5 10.5h-3v-3M10.5 1.5 7 5M1.5 10.5 5 7" />
            </svg>
          </button>
        )}
      </header>
      <div class="anr-stage">
        <ChartPlot {...props} lines={lines} visible={visible} label={describe(chart, series)} onHover={setAt} />
        {note && visible && <p class="anr-note">{note}</p>}
      </div>
    </section>
  );
}

function valueAt(lines: readonly Line[], index: number, x: number): number | null {
  const line = lines.find((one) => one.index === index);
  if (!line) return null;
  const entry = nearest(line, x);
  return entry < 0 ? null : (line.y[entry] as number);
}

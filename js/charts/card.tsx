/** One chart with its title, legend, current values and menu. Draws only while it can be seen. */

import { useMemo, useRef, useState } from "preact/hooks";
import { ChartPlot } from "./chart_plot";
import { formatValue, unitOf } from "./format";
import type { ChartSpec } from "./group";
import { useVisible } from "./hooks";
import { type Line, notPositive, type Range } from "./lines";
import { type MenuItem, MoreMenu } from "./menu";
import { type ChartOptions, metricOf } from "./options";
import { colorOf, type Theme } from "./palette";
import { pickFrom } from "./pick";
import { byOf, type Difference, differenceOf, differenceText, type OtherRun, signedText } from "./runs";
import type { Series } from "./series";
import { PointTable } from "./table";
import { type LinesOf, useLines } from "./use_lines";

/** What holds for all charts of a grid. */
export interface ChartView extends Omit<LinesOf, "chart"> {
  readonly theme: Theme;
  readonly syncKey: string;
  onZoom(range: Range | null): void;
  /** Tell a screen reader. */
  onSay(text: string): void;
}

export interface ChartCardProps extends ChartView {
  readonly chart: ChartSpec;
  /** Whether the Tab key comes here: of all cards it comes to one, from which arrow keys lead to the others. */
  readonly current: boolean;
  readonly menu: readonly (readonly MenuItem[])[];
  onEnlarge(): void;
  onToggle(metric: string): void;
  onSave(how: "png" | "svg" | "csv", lines: readonly Line[]): void;
  /** Its title is taken hold of, or let go over another card. */
  onDrag(): void;
  onDrop(): void;
}

/** Return what a screen reader says of a chart as a picture. */
export function describe(
  chart: ChartSpec,
  series: readonly (Series | undefined)[],
  differences: readonly Compared[] = [],
): string {
  const parts = series.map((one, i) => {
    const label = chart.series[i]?.label ?? "";
    return one?.last ? `${label} ${formatValue(one.last.value)} at step ${one.last.step}` : `${label}: no points`;
  });
  const beside = differences.map(({ metric, found }) => ` ${metric} ${differenceText(found, metric)}.`);
  return `Chart of ${chart.title}. ${parts.join("; ")}.${beside.join("")}`;
}

function remark(lines: readonly Line[], options: ChartOptions, waiting: boolean): string {
  if (waiting) return "waiting for the first point…";
  if (!lines.length) return "every line is switched off";
  const drawn = lines.reduce((sum, line) => sum + line.length, 0);
  if (!drawn) {
    const across = metricOf(options.x);
    return across === null ? "no value here is a finite number" : `no point has a step at which ${across} has a value`;
  }
  const hidden = options.y === "log" ? notPositive(lines) : 0;
  if (!hidden) return "";
  return hidden === drawn ? "no value above 0 for a logarithmic axis" : `${hidden} not above 0, not shown`;
}

interface ValuesProps {
  readonly chart: ChartSpec;
  readonly values: readonly (number | null)[];
  readonly off: readonly string[];
  readonly theme: Theme;
  readonly tabIndex: number;
  onToggle(metric: string): void;
}

/** A key and a number for each series; the numbers are those at the cursor while there is one. */
function Values({ chart, values, off, theme, tabIndex, onToggle }: ValuesProps) {
  return (
    <span class="anr-values anr-num">
      {chart.series.map(({ metric, label }, i) => {
        const value = values[i];
        const on = !off.includes(metric);
        return (
          <span key={metric} title={metric} data-off={!on || undefined}>
            {chart.series.length > 1 && (
              <button
                type="button"
                class="anr-key"
                aria-pressed={on}
                aria-label={`Line of ${label}`}
                title={`${metric}: ${on ? "hide" : "show"} its line`}
                tabIndex={tabIndex}
                onClick={() => onToggle(metric)}
              >
                <i style={{ background: colorOf(i, theme) }} />
                <span class="anr-label">{label}</span>
              </button>
            )}
            <b>{value === null || value === undefined ? "–" : formatValue(value)}</b>
            {unitOf(metric) && <small>{unitOf(metric)}</small>}
          </span>
        );
      })}
    </span>
  );
}

function valueAt(lines: readonly Line[], index: number, x: number): number | null {
  const line = lines.find((one) => one.index === index && !one.other);
  return (line && pickFrom(line, x)?.value) ?? null;
}

interface Compared {
  readonly metric: string;
  /** "" where the chart has one series. */
  readonly label: string;
  readonly found: Difference;
}

/** How far each series is from the reference; those of which nothing can be compared are left out. */
function compared({ chart, history }: ChartCardProps, reference: OtherRun | undefined): Compared[] {
  if (!reference) return [];
  return chart.series.flatMap(({ metric, label }) => {
    const found = differenceOf(history.series.get(metric), reference.history.series.get(metric));
    return found ? [{ metric, label: chart.series.length > 1 ? label : "", found }] : [];
  });
}

/** What the run has more or less than the reference where it has got to. */
function Differences({ of, name }: { of: readonly Compared[]; name: string }) {
  return (
    <p class="anr-differences anr-num anr-dim">
      {of.map(({ metric, label, found }) => {
        const { reference, endedAt, step } = found;
        const at = `at step ${formatValue(step, 15)}; reference: ${name}`;
        return (
          <span key={metric} title={`${metric} ${differenceText(found, metric)}\n${at}`}>
            {label && `${label} `}
            <b>{signedText(byOf(found), metric)}</b>
            {endedAt === null
              ? ` to reference ${formatValue(reference)}`
              : ` to reference’s last, ${formatValue(reference)} at step ${formatValue(endedAt, 15)}`}
          </span>
        );
      })}
    </p>
  );
}

const ENLARGE = "M7.5 1.5h3v3M4.5 10.5h-3v-3M10.5 1.5 7 5M1.5 10.5 5 7";

export function ChartCard(props: ChartCardProps) {
  const { chart, history, options, off, theme, zoom } = props;
  const host = useRef<HTMLElement>(null);
  const visible = useVisible(host);
  const [at, setAt] = useState<number | null>(null);
  const [tabled, setTabled] = useState(false);
  const lines = useLines(props, visible);
  const series = chart.series.map(({ metric }) => history.series.get(metric));
  const values = useMemo(
    () => series.map((one, i) => (at === null ? (one?.last?.value ?? null) : valueAt(lines, i, at))),
    [at, lines, ...series.map((one) => one?.total)],
  );
  const reference = props.others.find(({ kind, key }) => kind === "reference" && !props.offRuns.includes(key));
  const differences = visible ? compared(props, reference) : [];
  const note = visible ? remark(lines, options, !series.some((one) => one?.total)) : "";
  const tabIndex = props.current ? 0 : -1;
  const table = { label: "Show as a table", checked: tabled, act: () => setTabled(!tabled) };
  const files = (["png", "svg", "csv"] as const).map((how) => ({
    label: how === "csv" ? "CSV of what is shown" : `${how.toUpperCase()} picture`,
    act: () => props.onSave(how, lines),
  }));
  const [arranging = [], exporting = []] = props.menu;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    <section
      class="anr-card"
      ref={host}
      role="group"
      aria-label={chart.title}
      tabIndex={tabIndex}
      data-chart={chart.key}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        props.onDrop();
      }}
    >
      <header>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: the menu moves charts by keyboard */}
        <b class="anr-title" title={chart.title} draggable onDragStart={props.onDrag}>
          {chart.title}
        </b>
        <Values {...{ chart, values, off, theme, tabIndex }} onToggle={props.onToggle} />
        <span class="anr-icons">
          <button
            type="button"
            class="anr-icon"
            aria-label={`Enlarge ${chart.title}`}
            title="Enlarge"
            tabIndex={tabIndex}
            onClick={props.onEnlarge}
          >
            <svg viewBox="0 0 12 12" aria-hidden="true">
              <path d={ENLARGE} />
            </svg>
          </button>
          <MoreMenu
            title={chart.title}
            tabIndex={tabIndex}
            groups={[
              [table, ...arranging],
              [...files, ...exporting],
            ]}
          />
        </span>
      </header>
      {reference && <Differences of={differences} name={reference.name} />}
      <div class="anr-stage">
        {tabled ? (
          <PointTable title={chart.title} lines={lines} options={options} zoom={zoom} />
        ) : (
          <ChartPlot
            title={chart.title}
            {...{ lines, options, theme, zoom, visible, tabIndex }}
            syncKey={props.syncKey}
            label={visible ? describe(chart, series, differences) : chart.title}
            onZoom={props.onZoom}
            onHover={setAt}
            onSay={props.onSay}
            onEnter={props.onEnlarge}
          />
        )}
        {note && !tabled && <p class="anr-note">{note}</p>}
      </div>
    </section>
  );
}

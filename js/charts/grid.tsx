/** All charts of one section of a run, in step with each other: one cursor, one zoom, one word to a screen reader. */

import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import type { Frame } from "../api";
import { arrange, type Section } from "./arrange";
import { ChartCard, type ChartView } from "./card";
import { type Choices, moved, placedAt, toggled } from "./choices";
import { csvOfFrames, csvOfLines, fileName } from "./csv";
import { Detail, type DetailSource } from "./detail";
import { EnlargedChart } from "./enlarged";
import { type ChartSpec, groupMetrics } from "./group";
import type { History } from "./history";
import { useHistory } from "./hooks";
import type { Line, Range } from "./lines";
import { type ChartOptions, metricOf, optionsFor, type XAxis } from "./options";
import type { Theme } from "./palette";
import { pngOf, save, svgOf } from "./picture";
import { inksOf } from "./plot";
import type { LoadPlotly } from "./plotly";
import { rove } from "./roving";
import { RunKeys } from "./run_keys";
import type { OtherRun } from "./runs";
import { SectionOfCharts } from "./section";

export interface ChartGridProps {
  readonly history: History;
  readonly choices: Choices;
  onChoices(choices: Choices): void;
  /** Of the run; files are named after it. */
  readonly name: string;
  readonly section?: ChartSpec["section"];
  /** Where relative time begins, in seconds since the Unix epoch. */
  readonly start: number;
  readonly theme: Theme;
  /** Fetches plotly for the enlarged chart; asked once, when it is first needed. */
  readonly loadPlotly: LoadPlotly;
  /** The one chart to show, by its key; all of the section's where absent. */
  readonly only?: string;
  /** Metrics whose charts stand first. */
  readonly first?: readonly string[];
  /** What to say while there is no metric. */
  readonly empty?: string;
  /** Knows finer points than those of `history`. */
  readonly detail?: DetailSource;
  /** Every point of some metrics; rejects with a sentence that says why there are none. */
  readonly allPoints?: (metrics: readonly string[]) => Promise<readonly Frame[]>;
  /** Runs that are drawn behind; the same list as long as nothing of it has changed. */
  readonly others?: readonly OtherRun[];
}

const NOBODY: readonly OtherRun[] = [];

let grids = 0;

function useDetail(source: DetailSource | undefined): Detail | null {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const detail = useMemo(() => (source ? new Detail(source) : null), [source]);
  useEffect(() => {
    const stop = detail?.subscribe(() => draw(undefined));
    return () => {
      stop?.();
      detail?.stop();
    };
  }, [detail]);
  return detail;
}

/** The saving of one chart in the form that was asked for; a refusal is a sentence. */
function useSaving(
  props: ChartGridProps,
  options: ChartOptions,
  root: { readonly current: HTMLElement | null },
  zoom: Range | null,
) {
  const [trouble, setTrouble] = useState("");
  const attempt = async (act: () => Promise<void> | void) => {
    setTrouble("");
    try {
      await act();
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    }
  };
  const named = (chart: ChartSpec, more: string, extension: string) =>
    fileName(`${props.name}-${chart.title}${more}`, extension);
  const csv = (text: string) => new Blob([text], { type: "text/csv" });
  const shown = (chart: ChartSpec, how: "png" | "svg" | "csv", lines: readonly Line[]) =>
    attempt(async () => {
      const { x, xScale, y, robust } = options;
      if (how === "csv") return save(csv(csvOfLines(lines, x, zoom)), named(chart, "-shown", "csv"));
      const host = root.current as HTMLElement;
      const style = getComputedStyle(host);
      const of = (name: string) => style.getPropertyValue(name).trim();
      const inks = { ...inksOf(host), strong: of("--anr-fg"), paper: of("--anr-card"), family: style.fontFamily };
      const picture = { title: chart.title, theme: props.theme, inks, shown: { lines, x, xScale, y, robust, zoom } };
      const file = how === "svg" ? svgOf(picture, document) : await pngOf(picture, document);
      save(file, named(chart, "", how));
    });
  const all = (chart: ChartSpec) =>
    attempt(async () => {
      const metrics = chart.series.map(({ metric }) => metric);
      const frames = (await props.allPoints?.(metrics)) ?? [];
      save(csv(csvOfFrames(frames, metrics)), named(chart, "", "csv"));
    });
  return { trouble, forget: () => setTrouble(""), shown, all };
}

export function ChartGrid(props: ChartGridProps) {
  const { history, choices, onChoices, section = "charts", only, first = [] } = props;
  const { empty = "waiting for the first point…", others = NOBODY, name } = props;
  const { off, offRuns } = choices;
  const options = useMemo(() => optionsFor(section, choices.options), [section, choices.options]);
  useHistory(history);
  const detail = useDetail(props.detail);
  const root = useRef<HTMLDivElement>(null);
  const [syncKey] = useState(() => `anonrun-${++grids}`);
  const [zoomed, setZoomed] = useState<{ x: XAxis; range: Range } | null>(null);
  const [enlarged, setEnlarged] = useState<string | null>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const dragged = useRef<string | null>(null);
  const known = [...history.series.keys()].join("\n");
  const all = useMemo(
    () =>
      groupMetrics(known ? known.split("\n") : []).filter(({ key, section: held }) =>
        only === undefined ? held === section : key === only,
      ),
    [known, section, only],
  );
  const arranged = useMemo(() => arrange(all, choices, first), [all, choices, first]);
  // A stretch of steps means nothing once x is time.
  const zoom = zoomed?.x === options.x ? zoomed.range : null;
  const saving = useSaving(props, options, root, zoom);
  detail?.look({ x: options.x, zoom, start: props.start });
  const view: ChartView = {
    ...{ history, options, off, offRuns, others, name, start: props.start, theme: props.theme, zoom, syncKey, detail },
    onZoom: (range) => setZoomed(range && { x: options.x, range }),
    onSay: setSaid,
  };
  const shown = arranged.sections.flatMap(({ key, charts }) =>
    choices.closed.includes(key) && key !== "rest" ? [] : charts,
  );
  const tabbed = shown.some(({ key }) => key === current) ? current : shown[0]?.key;
  const large = all.find(({ key }) => key === enlarged);

  const card = (of: Section) => (chart: ChartSpec) => {
    const { key } = chart;
    const keys = of.charts.map((one) => one.key);
    const pinned = choices.pinned.includes(key);
    const go = (by: -1 | 1) => ({
      disabled: keys[keys.indexOf(key) + by] === undefined,
      act: () => onChoices(moved(choices, keys, key, by)),
    });
    const arranging = [
      { label: "Pin to the top", checked: pinned, act: () => onChoices(toggled(choices, "pinned", key)) },
      { label: "Move before", ...go(-1) },
      { label: "Move behind", ...go(1) },
      { label: "Hide", act: () => onChoices(toggled(choices, "hidden", key)) },
    ];
    const exporting = props.allPoints ? [{ label: "CSV of all points", act: () => void saving.all(chart) }] : [];
    return (
      <ChartCard
        key={key}
        chart={chart}
        {...view}
        current={key === tabbed}
        menu={[arranging, exporting]}
        onEnlarge={() => setEnlarged(key)}
        onToggle={(metric) => onChoices(toggled(choices, "off", metric))}
        onSave={(how, lines) => void saving.shown(chart, how, lines)}
        onDrag={() => {
          dragged.current = key;
        }}
        onDrop={() => {
          if (dragged.current && dragged.current !== key) {
            onChoices(placedAt(choices, keys, dragged.current, keys.indexOf(key)));
          }
          dragged.current = null;
        }}
      />
    );
  };
  const across = metricOf(options.x);
  const missing = across !== null && !history.series.has(across);
  const nothing = options.filter.trim() && all.length > arranged.hidden.length;
  const lack = nothing
    ? `No metric's name has “${options.filter.trim()}” in it.`
    : all.length
      ? "Every chart is hidden. “View” shows them again."
      : empty;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: hears the keys of the cards inside
    <div
      ref={root}
      class="anr-charts"
      data-section={section}
      // Jupyter takes letters and arrows for commands unless told not to.
      data-lm-suppress-shortcuts="true"
      onFocusIn={(event) =>
        setCurrent((event.target as HTMLElement).closest<HTMLElement>(".anr-card")?.dataset.chart ?? current)
      }
      onKeyDown={(event) => root.current && rove(root.current, event) && event.preventDefault()}
    >
      {zoom && (
        <button type="button" class="anr-reset" onClick={() => setZoomed(null)}>
          Reset zoom
        </button>
      )}
      {saving.trouble && (
        <p class="anr-trouble" role="alert">
          {saving.trouble}{" "}
          <button type="button" class="anr-quiet" onClick={saving.forget}>
            Close
          </button>
        </p>
      )}
      {missing && all.length > 0 && (
        <p class="anr-trouble">This run has no metric “{across}” to be x. Choose another.</p>
      )}
      {!arranged.found && lack && <p class="anr-empty">{lack}</p>}
      {others.length > 0 && (
        <RunKeys
          {...{ name, others, theme: props.theme }}
          off={offRuns}
          metrics={known ? known.split("\n") : []}
          dated={options.x === "wall"}
          onToggle={(key) => onChoices(toggled(choices, "offRuns", key))}
        />
      )}
      {arranged.sections.map((one, no) => (
        <SectionOfCharts
          key={one.key}
          label="Charts"
          section={one}
          alone={arranged.sections.length === 1}
          named={no > 0 || one.key !== "rest"}
          closed={choices.closed.includes(one.key)}
          onToggle={() => onChoices(toggled(choices, "closed", one.key))}
          card={card(one)}
        />
      ))}
      <p class="anr-said" aria-live="polite">
        {said}
      </p>
      {large && (
        <EnlargedChart
          key={large.key}
          chart={large}
          {...view}
          loadPlotly={props.loadPlotly}
          onClose={() => setEnlarged(null)}
        />
      )}
    </div>
  );
}

/** The lines of one chart, made again only when something that they are made of has changed. */

import { useEffect, useRef } from "preact/hooks";
import type { Detail } from "./detail";
import type { ChartSpec } from "./group";
import type { History } from "./history";
import { type Ground, type Line, lineOf, type Range } from "./lines";
import { type ChartOptions, metricOf } from "./options";
import { type OtherRun, OWN } from "./runs";
import type { Series } from "./series";

export interface LinesOf {
  readonly chart: ChartSpec;
  readonly history: History;
  readonly options: ChartOptions;
  /** Metrics whose lines are switched off. */
  readonly off: readonly string[];
  /** Where relative time begins, in seconds since the Unix epoch. */
  readonly start: number;
  readonly zoom: Range | null;
  readonly detail: Detail | null;
  /** Of the run, for its lines where others are beside them. */
  readonly name: string;
  /** Runs behind it. */
  readonly others: readonly OtherRun[];
  /** Keys of runs whose lines are switched off. */
  readonly offRuns: readonly string[];
}

/** Return the other runs whose lines are drawn: those that are on, and on an axis of dates those that have some. */
export function drawnRuns({ others, offRuns, options }: Pick<LinesOf, "others" | "offRuns" | "options">): OtherRun[] {
  return others.filter(({ key, start }) => !offRuns.includes(key) && (options.x !== "wall" || start !== null));
}

/** What is drawn of one metric: finer points where there are some, else the page's own. */
function drawn({ chart, history, off, offRuns, detail }: LinesOf): (readonly [Series, fine: boolean] | null)[] {
  const hidden = offRuns.includes(OWN);
  return chart.series.map(({ metric }) => {
    const own = history.series.get(metric);
    if (!own || hidden || off.includes(metric)) return null;
    const fine = detail?.get(metric);
    return fine ? [fine, true] : [own, false];
  });
}

/** Ask for finer points of what the page has only merged. */
function want({ chart, history, off, options, start, zoom, detail }: LinesOf): void {
  const across = metricOf(options.x);
  if (!detail || (!zoom && across === null)) return;
  const ground = across === null ? null : history.series.get(across);
  for (const { metric } of chart.series) {
    const own = history.series.get(metric);
    if (!own || off.includes(metric) || !(own.thinned || ground?.thinned)) continue;
    const tail = own.tail;
    const newest = { step: tail?.step, relative: tail && tail.time - start, wall: tail?.time }[options.x as "step"];
    detail.want(metric, own.total, !zoom || newest === undefined || zoom.high >= newest);
  }
}

/** Lines of other runs; these change only when the reader asks for something else. */
function linesBehind(from: LinesOf): Line[] {
  const { chart, off, options } = from;
  const metric = metricOf(options.x);
  return drawnRuns(from).flatMap((other) =>
    chart.series.flatMap((shown, index) => {
      const series = other.history.series.get(shown.metric);
      if (!series || off.includes(shown.metric)) return [];
      const label = chart.series.length > 1 ? `${shown.label} · ${other.name}` : other.name;
      const across = metric === null ? undefined : other.history.series.get(metric);
      const ground = { x: options.x, start: other.start ?? 0, across };
      return [lineOf(series, { index, label, other }, options.smoothing, ground)];
    }),
  );
}

type Held = { of: readonly unknown[]; lines: readonly Line[] };

/** Return what was made of the same things before, or make it anew. */
function kept(held: { current: Held }, of: readonly unknown[], make: () => readonly Line[]): readonly Line[] {
  if (of.length !== held.current.of.length || of.some((value, i) => value !== held.current.of[i])) {
    held.current = { of, lines: make() };
  }
  return held.current.lines;
}

/** Return the lines, the own run's first; while not `wanted`, those of before. */
export function useLines(from: LinesOf, wanted: boolean): readonly Line[] {
  const { chart, history, options, start, others } = from;
  const own = useRef<Held>({ of: [], lines: [] });
  const behind = useRef<Held>({ of: [], lines: [] });
  const all = useRef<Held>({ of: [], lines: [] });
  useEffect(() => {
    if (wanted) want(from);
  });
  if (!wanted) return all.current.lines;
  const metric = metricOf(options.x);
  const across = metric === null ? undefined : history.series.get(metric);
  const present = drawn(from);
  const counts = present.flatMap((one) => [one?.[0], one?.[0].total]);
  const back = kept(behind, [chart, options.smoothing, options.x, others, from.offRuns, from.off], () =>
    linesBehind(from),
  );
  const named = chart.series.length === 1 && back.length > 0 ? from.name : null;
  const made = kept(own, [start, options.smoothing, options.x, across, across?.total, named, ...counts], () => {
    const coarse: Ground = { x: options.x, start, across };
    // Where x is a metric, finer points stand at their places on it already.
    const fine: Ground = metric === null ? coarse : { x: "step", start };
    return present.flatMap((one, index) => {
      const shown = { index, label: named ?? chart.series[index]?.label ?? "" };
      return one ? [lineOf(one[0], shown, options.smoothing, one[1] ? fine : coarse)] : [];
    });
  });
  return kept(all, [made, back], () => (back.length ? [...made, ...back] : made));
}

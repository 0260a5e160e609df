/** The lines of one chart, made again only when something that they are made of has changed. */

import { useEffect, useRef } from "preact/hooks";
import type { Detail } from "./detail";
import type { ChartSpec } from "./group";
import type { History } from "./history";
import { type Ground, type Line, lineOf, type Range } from "./lines";
import { type ChartOptions, metricOf } from "./options";
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
}

/** What is drawn of one metric: finer points where there are some, else the page's own. */
function drawn({ chart, history, off, detail }: LinesOf): (readonly [Series, fine: boolean] | null)[] {
  return chart.series.map(({ metric }) => {
    const own = history.series.get(metric);
    if (!own || off.includes(metric)) return null;
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

/** Return the lines; while not `wanted`, those of before. */
export function useLines(from: LinesOf, wanted: boolean): readonly Line[] {
  const { chart, history, options, start } = from;
  const held = useRef<{ of: readonly unknown[]; lines: readonly Line[] }>({ of: [], lines: [] });
  useEffect(() => {
    if (wanted) want(from);
  });
  if (!wanted) return held.current.lines;
  const metric = metricOf(options.x);
  const across = metric === null ? undefined : history.series.get(metric);
  const present = drawn(from);
  const counts = present.flatMap((one) => [one?.[0], one?.[0].total]);
  const of = [start, options.smoothing, options.x, across, across?.total, ...counts];
  if (of.length !== held.current.of.length || of.some((value, i) => value !== held.current.of[i])) {
    const own: Ground = { x: options.x, start, across };
    // Where x is a metric, finer points stand at their places on it already.
    const fine: Ground = metric === null ? own : { x: "step", start };
    const lines = present.flatMap((one, index) => {
      const shown = { index, label: chart.series[index]?.label ?? "" };
      return one ? [lineOf(one[0], shown, options.smoothing, one[1] ? fine : own)] : [];
    });
    held.current = { of, lines };
  }
  return held.current.lines;
}

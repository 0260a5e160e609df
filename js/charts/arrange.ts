/** Which charts stand where: sections by prefix, pinned ones first, hidden ones not at all. Pure. */

import type { Choices } from "./choices";
import { type ChartSpec, filterCharts } from "./group";

export interface Section {
  /** `pinned`, `rest`, or `by:` and a prefix. */
  readonly key: string;
  readonly title: string;
  readonly charts: readonly ChartSpec[];
}

export interface Arranged {
  readonly sections: readonly Section[];
  /** Charts that the reader has hidden, whatever the filter. */
  readonly hidden: readonly ChartSpec[];
  /** Of all, those that the filter leaves. */
  readonly found: number;
}

/** What stands before the first `/` of a chart's key; "" where there is none. */
function prefixOf({ key }: ChartSpec): string {
  const at = key.indexOf("/");
  return at > 0 ? key.slice(0, at) : "";
}

function ranked(charts: readonly ChartSpec[], rankOf: (chart: ChartSpec) => number): ChartSpec[] {
  return charts
    .map((chart, i) => [rankOf(chart), i, chart] as const)
    .sort(([a, i], [b, k]) => a - b || i - k)
    .map(([, , chart]) => chart);
}

/** `first` are metrics or charts that whoever made the run wants to be seen first. */
export function arrange(charts: readonly ChartSpec[], choices: Choices, first: readonly string[]): Arranged {
  const places = new Map(choices.order.map((key, i) => [key, i]));
  const [pins, hides] = [new Set(choices.pinned), new Set(choices.hidden)];
  const wish = ({ key, series }: ChartSpec) => {
    const at = first.findIndex((name) => name === key || series.some(({ metric }) => metric === name));
    return at < 0 ? first.length : at;
  };
  const wished = first.length ? ranked(charts, wish) : [...charts];
  const asked = ranked(wished, ({ key }) => places.get(key) ?? places.size);
  const shown = filterCharts(
    asked.filter(({ key }) => !hides.has(key)),
    choices.options.filter,
  );
  const pinned = shown.filter(({ key }) => pins.has(key));
  const others = shown.filter(({ key }) => !pins.has(key));
  const groups = choices.options.grouped
    ? byPrefix(others, first.length ? (one) => wish(one) < first.length : null)
    : [];
  const grouped = new Set(groups.flatMap((group) => group.charts));
  const rest = others.filter((chart) => !grouped.has(chart));
  const sections = [
    { key: "pinned", title: "Pinned", charts: pinned },
    { key: "rest", title: "Others", charts: rest },
    ...groups,
  ].filter((section) => section.charts.length);
  return { sections, hidden: charts.filter(({ key }) => hides.has(key)), found: shown.length };
}

/** Two charts make a group; those that are wanted first stand outside. */
function byPrefix(charts: readonly ChartSpec[], outside: ((chart: ChartSpec) => boolean) | null): Section[] {
  const groups = new Map<string, ChartSpec[]>();
  for (const chart of charts) {
    const prefix = prefixOf(chart);
    // All system metrics begin alike, and have a tab of their own.
    if (!prefix || chart.section === "system" || outside?.(chart)) continue;
    const members = groups.get(prefix);
    if (members) members.push(chart);
    else groups.set(prefix, [chart]);
  }
  return [...groups]
    .filter(([, members]) => members.length > 1)
    .map(([prefix, members]) => ({ key: `by:${prefix}`, title: prefix, charts: members }));
}

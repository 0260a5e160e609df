/** Which columns the table of runs has: the reader's choice, kept in this browser, or else what most of the runs have. */
import type { RunInfo } from "../api";
import { isNumber } from "./format";
import { flatPairs } from "./pairs";

/** What every run has. */
export const FACTS = ["state", "project", "created", "points", "expires", "tags", "group"] as const;
export type Fact = (typeof FACTS)[number];
/** A value of a run's summary or config, by its name; of what is nested in a config the path. */
export type ValueColumn = `summary:${string}` | `config:${string}`;

export interface Columns {
  readonly facts: readonly Fact[];
  /** In order of appearance; null: the commonest numbers of the summaries. */
  readonly values: readonly ValueColumn[] | null;
  /** Whether a curve of the first value of a summary stands in each row. */
  readonly curve: boolean;
}

export const DEFAULT_COLUMNS: Columns = {
  facts: ["state", "project", "created", "points", "expires"],
  values: null,
  curve: true,
};

const COMMONEST = 4;
/** So many a reader can still read; a table of all of them would draw a hundred thousand cells. */
export const MOST_VALUES = 24;

export const FACT_LABELS: Readonly<Record<Fact, string>> = {
  state: "state",
  project: "project",
  created: "created",
  points: "points",
  expires: "kept",
  tags: "tags",
  group: "group",
};

/** Return the columns that a text of ours keeps; what is not one is the default. */
export function readColumns(text: string | null): Columns {
  try {
    const kept = JSON.parse(text ?? "null") as Partial<Columns> | null;
    const named = (value: unknown): value is ValueColumn =>
      typeof value === "string" && /^(?:summary|config):./.test(value);
    return {
      facts: Array.isArray(kept?.facts) ? FACTS.filter((fact) => kept.facts?.includes(fact)) : DEFAULT_COLUMNS.facts,
      values: Array.isArray(kept?.values) ? [...new Set(kept.values.filter(named))].slice(0, MOST_VALUES) : null,
      curve: kept?.curve !== false,
    };
  } catch {
    return DEFAULT_COLUMNS;
  }
}

const flat = new WeakMap<RunInfo, ReadonlyMap<string, unknown>>();

function configOf(run: RunInfo): ReadonlyMap<string, unknown> {
  const known = flat.get(run) ?? new Map(flatPairs(run.config));
  flat.set(run, known);
  return known;
}

export function nameOf(column: ValueColumn): string {
  return column.slice(column.indexOf(":") + 1);
}

/** Return what a run has in a column; undefined for nothing. */
export function valueIn(run: RunInfo, column: ValueColumn): unknown {
  const name = nameOf(column);
  if (column.startsWith("config:")) return configOf(run).get(name);
  return Object.hasOwn(run.summary, name) ? run.summary[name] : undefined;
}

/** Return the numbers' names that most of the runs have, at most `most`, the commonest first. */
export function summaryColumns(runs: readonly RunInfo[], most: number): string[] {
  const seen = new Map<string, number>();
  for (const run of runs) {
    for (const [name, value] of Object.entries(run.summary)) {
      if (isNumber(value) && !/^_|^system\//.test(name)) seen.set(name, (seen.get(name) ?? 0) + 1);
    }
  }
  return byCount(seen).slice(0, most);
}

/** Return all columns that these runs could have, the commonest first. */
export function valueColumns(runs: readonly RunInfo[]): ValueColumn[] {
  const seen = new Map<ValueColumn, number>();
  const see = (column: ValueColumn) => seen.set(column, (seen.get(column) ?? 0) + 1);
  for (const run of runs) {
    for (const name of Object.keys(run.summary)) see(`summary:${name}`);
    for (const name of configOf(run).keys()) see(`config:${name}`);
  }
  return byCount(seen);
}

function byCount<T>(seen: ReadonlyMap<T, number>): T[] {
  return [...seen].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}

/** Return the columns of values that are shown. */
export function shownValues(columns: Columns, runs: readonly RunInfo[]): readonly ValueColumn[] {
  return columns.values ?? summaryColumns(runs, COMMONEST).map((name) => `summary:${name}` as const);
}

/** Return the metric whose curve stands in each row; null for none. */
export function curveOf(columns: Columns, shown: readonly ValueColumn[]): string | null {
  const first = columns.curve ? shown.find((column) => column.startsWith("summary:")) : undefined;
  return first ? nameOf(first) : null;
}

/** Return the list with `one` in it, at the end, if it was not, and without it if it was. */
export function toggled<T>(list: readonly T[], one: T): T[] {
  return list.includes(one) ? list.filter((other) => other !== one) : [...list, one];
}

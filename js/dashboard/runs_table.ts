/** What the table of runs shows: order, filter, and which rows are chosen. Pure; drawing is done by parts/runs_table.tsx. */
import type { RunInfo } from "../api";
import { type ValueColumn, valueIn } from "./columns";
import { isNumber } from "./format";

export type SortKey = "name" | "project" | "state" | "created" | "points" | "expires" | "tags" | "group" | ValueColumn;

export interface Sort {
  readonly key: SortKey;
  readonly down: boolean;
}

export const NEWEST_FIRST: Sort = { key: "created", down: true };

const STATE_ORDER = { running: 0, crashed: 1, failed: 2, finished: 3 } as const;

/** Whether every word of `words` occurs in the run's name, id, project, state, tags or notes. */
export function matches(run: RunInfo, words: string): boolean {
  const text = [run.name, run.id, run.project, run.state, run.account, run.group, run.job_type, run.notes, ...run.tags]
    .join("\n")
    .toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function sortValue(run: RunInfo, key: SortKey): number | string | null {
  switch (key) {
    case "name":
      return run.name.toLowerCase();
    case "project":
      return run.project.toLowerCase();
    case "state":
      return STATE_ORDER[run.state];
    case "created":
      return Date.parse(run.created_at);
    case "points":
      return run.points;
    case "expires":
      return run.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(run.expires_at);
    case "tags":
      return run.tags.join(", ").toLowerCase() || null;
    case "group":
      return run.group?.toLowerCase() || null;
    default: {
      const value = valueIn(run, key);
      if (value === undefined || value === null) return null;
      if (!isNumber(value)) return (typeof value === "string" ? value : JSON.stringify(value)).toLowerCase();
      return Number.isNaN(Number(value)) ? null : Number(value);
    }
  }
}

/** Numbers come before texts, so that a column of both has an order too. */
function before(x: number | string, y: number | string): boolean {
  if (typeof x !== typeof y) return typeof x === "number";
  return x < y;
}

/** Return the runs in order; those without a value come last whichever way, ties go newest first. */
export function sorted(runs: readonly RunInfo[], { key, down }: Sort): RunInfo[] {
  const sign = down ? -1 : 1;
  const keyed = runs.map((run) => ({ run, value: sortValue(run, key), at: Date.parse(run.created_at) }));
  keyed.sort((a, b) => {
    if (a.value === b.value) return b.at - a.at;
    if (a.value === null) return 1;
    if (b.value === null) return -1;
    return before(a.value, b.value) ? -sign : sign;
  });
  return keyed.map(({ run }) => run);
}

/** Return the order after a click on a column: numbers begin with the largest, texts with A. */
export function nextSort(now: Sort, key: SortKey): Sort {
  if (now.key === key) return { key, down: !now.down };
  return { key, down: key === "created" || key === "points" || key.startsWith("summary:") };
}

/** Which rows are chosen, and from which one a range goes on. */
export interface Chosen {
  readonly ids: ReadonlySet<string>;
  readonly anchor: string | null;
}

export const NONE_CHOSEN: Chosen = { ids: new Set(), anchor: null };

/** Return the choice after one row's box was set; `range`: with all rows from the one that was set before. */
export function chosen(now: Chosen, order: readonly string[], id: string, on: boolean, range: boolean): Chosen {
  const [from, to] = [order.indexOf(now.anchor ?? id), order.indexOf(id)];
  const rows = range && from >= 0 && to >= 0 ? order.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
  const ids = new Set(now.ids);
  for (const row of rows) {
    if (on) ids.add(row);
    else ids.delete(row);
  }
  return { ids, anchor: id };
}

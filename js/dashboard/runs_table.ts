/** What the table of runs shows: columns, order and filter. Pure; drawing is done by pages/runs.tsx. */
import type { RunInfo } from "../api";
import { isNumber } from "./format";

export type SortKey = "name" | "project" | "state" | "created" | "points" | "expires" | `summary:${string}`;

export interface Sort {
  readonly key: SortKey;
  readonly down: boolean;
}

export const NEWEST_FIRST: Sort = { key: "created", down: true };

const STATE_ORDER = { running: 0, crashed: 1, failed: 2, finished: 3 } as const;

/** Return the numbers' names that most of the runs have, at most `most`, the commonest first. */
export function summaryColumns(runs: readonly RunInfo[], most: number): string[] {
  const seen = new Map<string, number>();
  for (const run of runs) {
    for (const [name, value] of Object.entries(run.summary)) {
      if (isNumber(value) && !/^_|^system\//.test(name)) seen.set(name, (seen.get(name) ?? 0) + 1);
    }
  }
  return [...seen]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([name]) => name);
}

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
    default: {
      const value = run.summary[key.slice("summary:".length)];
      const number = isNumber(value) ? Number(value) : Number.NaN;
      return Number.isNaN(number) ? null : number;
    }
  }
}

/** Return the runs in order; those without a value come last whichever way, ties go newest first. */
export function sorted(runs: readonly RunInfo[], { key, down }: Sort): RunInfo[] {
  const sign = down ? -1 : 1;
  return [...runs].sort((a, b) => {
    const [x, y] = [sortValue(a, key), sortValue(b, key)];
    if (x === y) return Date.parse(b.created_at) - Date.parse(a.created_at);
    if (x === null) return 1;
    if (y === null) return -1;
    return x < y ? -sign : sign;
  });
}

/** Return the order after a click on a column: numbers begin with the largest, texts with A. */
export function nextSort(now: Sort, key: SortKey): Sort {
  if (now.key === key) return { key, down: !now.down };
  return { key, down: key === "created" || key === "points" || key.startsWith("summary:") };
}

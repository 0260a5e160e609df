/** Values of several runs side by side: where they differ, and which is best where the reader has said what that is. Pure. */
import { isNumber } from "./format";
import { flatPairs } from "./pairs";

/** What of a number is best; nobody but the reader knows, so without a word of theirs none is. */
export type Best = "smallest" | "largest";

export interface Row {
  readonly name: string;
  /** One for each run; undefined where it has none. */
  readonly values: readonly unknown[];
  readonly differs: boolean;
}

/** Return a row for each name that some run has, in order of first appearance; what is nested has its path. */
export function rowsOf(runs: readonly Readonly<Record<string, unknown>>[]): Row[] {
  const flat = runs.map((values) => new Map(flatPairs(values)));
  const names = new Set(flat.flatMap((values) => [...values.keys()]));
  return [...names].map((name) => {
    const values = flat.map((one) => one.get(name));
    const texts = values.map((value) => JSON.stringify(value));
    return { name, values, differs: texts.some((text) => text !== texts[0]) };
  });
}

/** Return which of the values are the best; none where there are not two numbers to choose from, or all are the same. */
export function bestOf(values: readonly unknown[], best: Best | undefined): ReadonlySet<number> {
  const numbers = values.flatMap((value, i) =>
    isNumber(value) && !Number.isNaN(Number(value)) ? [[Number(value), i] as const] : [],
  );
  const found = numbers.map(([value]) => value);
  if (!best || new Set(found).size < 2) return new Set();
  const mark = best === "smallest" ? Math.min(...found) : Math.max(...found);
  return new Set(numbers.filter(([value]) => value === mark).map(([, i]) => i));
}

export type Directions = Readonly<Record<string, Best>>;

/** Return the directions that a text of ours keeps. */
export function readDirections(text: string | null): Directions {
  try {
    const kept = JSON.parse(text ?? "{}") as unknown;
    if (typeof kept !== "object" || kept === null || Array.isArray(kept)) return {};
    return Object.fromEntries(
      Object.entries(kept).filter(([, best]) => best === "smallest" || best === "largest"),
    ) as Directions;
  } catch {
    return {};
  }
}

/** Return the directions after another word on one name: nothing, smallest, largest, and nothing again. */
export function turned(now: Directions, name: string): Directions {
  const { [name]: before, ...others } = now;
  if (before === "largest") return others;
  return { ...others, [name]: before === "smallest" ? "largest" : "smallest" };
}

/** Return names that tell runs apart: where two are the same, the end of the run id stands behind each. */
export function toldApart(runs: readonly { readonly run_id: string; readonly name: string }[]): string[] {
  const times = new Map<string, number>();
  for (const { name } of runs) times.set(name, (times.get(name) ?? 0) + 1);
  return runs.map(({ name, run_id }) => ((times.get(name) ?? 0) > 1 ? `${name} · ${run_id.slice(-4)}` : name));
}

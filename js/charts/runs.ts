/** Other runs behind the one whose charts are shown: a reference, earlier runs, and those to compare with. Pure. */

import { formatValue, unitOf } from "./format";
import { isOfMachine } from "./group";
import type { History } from "./history";
import { lastAtMost } from "./lines";
import type { RunMark } from "./palette";
import type { Series } from "./series";

export interface OtherRun extends RunMark {
  /** The same each time that it is shown: choices are kept by it. */
  readonly key: string;
  /** Told apart from all others beside it. */
  readonly name: string;
  /** Where its relative time begins, seconds since the Unix epoch; null: its times are relative, and it has no dates. */
  readonly start: number | null;
  /** Does not grow: what comes later comes as another object. */
  readonly history: History;
}

/** Key of the run whose charts are shown. */
export const OWN = "own";

/** How far a run is from a reference, where its line ends. */
export interface Difference {
  /** The run's last step that has a number. */
  readonly step: number;
  readonly own: number;
  readonly reference: number;
  /** Where the reference ended before: what stands against the run is its last value. Null: it goes on. */
  readonly endedAt: number | null;
}

/**
 * Return how far `own` is from `reference` at its last step; null where they have nothing to compare.
 *
 * Between two points of the reference its value is that of the straight line; beyond its last one it is its last; before
 * its first one there is none. `anonrun.notebook.beside` has the same rule, and both are held to
 * `tests/vectors/differences.json`.
 */
export function differenceOf(own: Series | undefined, reference: Series | undefined): Difference | null {
  const tail = own?.tail;
  const last = reference?.tail;
  if (!tail || !reference || !last) return null;
  if (tail.step >= last.step) {
    const endedAt = tail.step > last.step ? last.step : null;
    return { step: tail.step, own: tail.value, reference: last.value, endedAt };
  }
  const { length, step, value } = reference.columns();
  // Of several points at one step the last one counts.
  const at = lastAtMost(step, tail.step);
  if (at < 0 || at + 1 >= length) return null;
  const share = (tail.step - (step[at] as number)) / ((step[at + 1] as number) - (step[at] as number));
  const between = (value[at] as number) * (1 - share) + (value[at + 1] as number) * share;
  return { step: tail.step, own: tail.value, reference: between, endedAt: null };
}

/** Values in a reference file have seven digits. */
const SAME = 1e-6;

/** How much more the run has; nothing where that is less than what a reference file tells. */
export function byOf({ own, reference }: Pick<Difference, "own" | "reference">): number {
  const by = own - reference;
  return Math.abs(by) <= SAME * Math.max(Math.abs(own), Math.abs(reference)) ? 0 : by;
}

/** Return a difference in the unit that the metric's name has, or none: a share of per cent is in points of these. */
export function signedText(by: number, metric: string): string {
  const named = unitOf(metric);
  const unit = named === "%" ? "%-points" : named;
  const size = formatValue(Math.abs(by));
  const sign = by === 0 ? "±" : by < 0 ? "\u2212" : "+";
  return `${sign}${size}${unit && ` ${unit}`}`;
}

/** Return a difference in words: `0.953, reference 0.961: −0.008`. */
export function differenceText(found: Difference, metric: string): string {
  const { own, reference, endedAt } = found;
  const ended = endedAt === null ? "" : ` (its last, at step ${formatValue(endedAt, 15)})`;
  return `${formatValue(own)}, reference ${formatValue(reference)}${ended}: ${signedText(byOf(found), metric)}`;
}

/** Whether a run has none of the metrics that are charted; false while there are none yet. */
export function isStranger({ history }: Pick<OtherRun, "history">, metrics: Iterable<string>): boolean {
  const own = [...metrics].filter((name) => !isOfMachine(name));
  return own.length > 0 && !own.some((name) => history.series.has(name));
}

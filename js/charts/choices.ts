/**
 * What a reader has chosen for the charts of a view: their options, and which stand where. Pure.
 *
 * Charts are named by their keys, so that a choice holds for the next run of the same training too. Invariant: what is
 * kept is bounded, and what was kept by another version, or by hand, is read as far as it makes sense.
 */

import { type ChartOptions, DEFAULT_OPTIONS } from "./options";

export interface Choices {
  readonly options: ChartOptions;
  /** Keys of charts that stand before all others. */
  readonly pinned: readonly string[];
  readonly hidden: readonly string[];
  /** Keys of charts in the reader's order; those that are not named follow as they came. */
  readonly order: readonly string[];
  /** Metrics whose lines are switched off. */
  readonly off: readonly string[];
  /** Keys of sections that are closed. */
  readonly closed: readonly string[];
  /** Keys of runs whose lines are switched off. */
  readonly offRuns: readonly string[];
}

export const DEFAULT_CHOICES: Choices = {
  options: DEFAULT_OPTIONS,
  pinned: [],
  hidden: [],
  order: [],
  off: [],
  closed: [],
  offRuns: [],
};

type ListName = "pinned" | "hidden" | "off" | "closed" | "offRuns";

const MOST_NAMES = 500;
const LONGEST_NAME = 300;

/** Put `name` into a list, or take it out. */
export function toggled(choices: Choices, list: ListName, name: string): Choices {
  const held = choices[list];
  const next = held.includes(name) ? held.filter((one) => one !== name) : [...held, name];
  return { ...choices, [list]: next.slice(-MOST_NAMES) };
}

/** Move a chart before (by < 0) or behind its neighbour; `keys` are those of its section as it stands. */
export function moved(choices: Choices, keys: readonly string[], key: string, by: -1 | 1): Choices {
  const at = keys.indexOf(key);
  return keys[at + by] === undefined || at < 0 ? choices : placedAt(choices, keys, key, at + by);
}

/** Let a chart stand at `place` among `keys`, those of its section as it stands. */
export function placedAt(choices: Choices, keys: readonly string[], key: string, place: number): Choices {
  const from = keys.indexOf(key);
  if (from < 0) return choices;
  const next = keys.filter((one) => one !== key);
  next.splice(place, 0, key);
  // Those behind the last one that moved stand as they came, and need no name.
  const named = next.slice(0, Math.max(from, place) + 1);
  const others = choices.order.filter((one) => !named.includes(one));
  return { ...choices, order: [...named, ...others].slice(0, MOST_NAMES) };
}

/** Return the text that `readChoices` reads. */
export function writeChoices(choices: Choices): string {
  return JSON.stringify(choices);
}

function namesIn(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one) => typeof one === "string" && one.length <= LONGEST_NAME).slice(0, MOST_NAMES);
}

type Raw = Partial<Record<string, unknown>>;

function optionsIn(value: unknown): ChartOptions {
  const raw: Raw = typeof value === "object" && value !== null ? (value as Raw) : {};
  const { smoothing, x, xScale, y, robust, grouped, filter } = raw;
  const kept: { -readonly [K in keyof ChartOptions]: ChartOptions[K] } = { ...DEFAULT_OPTIONS };
  if (typeof smoothing === "number" && smoothing >= 0 && smoothing < 1) kept.smoothing = smoothing;
  if (typeof x === "string" && /^(step|relative|wall|metric:.+)$/s.test(x) && x.length <= LONGEST_NAME) {
    kept.x = x as ChartOptions["x"];
  }
  if (xScale === "linear" || xScale === "log") kept.xScale = xScale;
  if (y === "linear" || y === "log") kept.y = y;
  if (typeof robust === "boolean") kept.robust = robust;
  if (typeof grouped === "boolean") kept.grouped = grouped;
  if (typeof filter === "string") kept.filter = filter.slice(0, LONGEST_NAME);
  return kept;
}

/** Read what was kept; whatever is wrong in it is as at first. */
export function readChoices(text: string | null): Choices {
  let raw: Raw = {};
  try {
    const read: unknown = JSON.parse(text ?? "{}");
    if (typeof read === "object" && read !== null) raw = read as Raw;
  } catch {
    // Damaged, or not ours: nothing was chosen.
  }
  return {
    options: optionsIn(raw.options),
    pinned: namesIn(raw.pinned),
    hidden: namesIn(raw.hidden),
    order: namesIn(raw.order),
    off: namesIn(raw.off),
    closed: namesIn(raw.closed),
    offRuns: namesIn(raw.offRuns),
  };
}

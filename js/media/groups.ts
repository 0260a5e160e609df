/** Which items make one panel, and where its step slider stops. Pure. */

import type { MediaInfo, MediaKind } from "../api";
import type { ChartSpec } from "../charts/group";

/** An item without its content, which is kept apart. */
export type Item = Omit<MediaInfo, "content">;

/** What a panel shows at once: the pictures of one step, or one item of any other kind. */
export interface Stop {
  readonly step: number;
  readonly items: readonly Item[];
  /** Its number among those of the same step, from 1 on, and how many these are. */
  readonly no: number;
  readonly of: number;
}

/** A stop by what does not change while further items arrive. */
export type Place = Pick<Stop, "step" | "no">;

/** What a panel of each kind is called. */
export const KIND_NAMES: Readonly<Record<MediaKind, string>> = {
  histogram: "Histogram",
  image: "Images",
  table: "Table",
  text: "Text",
  confusion_matrix: "Confusion matrix",
  curves: "Curves",
  figure: "Figure",
  console: "Log",
};

/** Return the stops of a panel's items by step, in order of arrival within one. */
export function stopsOf(kind: MediaKind, items: readonly Item[]): Stop[] {
  const steps = new Map<number, Item[]>();
  for (const item of items) {
    const held = steps.get(item.step);
    if (held) held.push(item);
    else steps.set(item.step, [item]);
  }
  return [...steps]
    .sort(([a], [b]) => a - b)
    .flatMap(([step, held]): Stop[] =>
      kind === "image"
        ? [{ step, items: held, no: 1, of: 1 }]
        : held.map((item, i) => ({ step, items: [item], no: i + 1, of: held.length })),
    );
}

/** Return the index of the stop at a place, or of the nearest one; of the last for null. */
export function stopAt(stops: readonly Stop[], place: Place | null): number {
  if (place === null) return stops.length - 1;
  let [best, nearest] = [0, Number.POSITIVE_INFINITY];
  for (const [i, { step, no }] of stops.entries()) {
    // The number within a step counts for less than any difference of steps.
    const far = Math.abs(step - place.step) + Math.abs(no - place.no) / 1e6;
    if (far < nearest) [best, nearest] = [i, far];
  }
  return best;
}

/** Return what a screen reader says of a stop. */
export function stopText({ step, no, of }: Stop): string {
  return of > 1 ? `step ${step}, ${no} of ${of}` : `step ${step}`;
}

/** All items of one kind under one key. */
export class Group {
  readonly kind: MediaKind;
  readonly key: string;
  readonly #items: Item[] = [];
  #stops: Stop[] | null = null;

  constructor(kind: MediaKind, key: string) {
    this.kind = kind;
    this.key = key;
  }

  /** How many items there are. */
  get count(): number {
    return this.#items.length;
  }

  get stops(): readonly Stop[] {
    this.#stops ??= stopsOf(this.kind, this.#items);
    return this.#stops;
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#stops = null;
  }
}

/**
 * Return panels as the charts' own arrangement takes them: pinned, hidden, filtered and grouped by the same choices.
 *
 * A panel is named by its key; where one key has items of several kinds, all but the first are named with their kind.
 */
export function specsOf(groups: Iterable<Group>): (ChartSpec & { readonly group: Group })[] {
  const taken = new Set<string>();
  return [...groups].map((group) => {
    const key = taken.has(group.key) ? `${group.key} · ${KIND_NAMES[group.kind].toLowerCase()}` : group.key;
    taken.add(group.key);
    return { key, title: key, section: "charts", series: [{ metric: group.key, label: key }], group };
  });
}

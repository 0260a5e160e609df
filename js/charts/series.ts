/**
 * The points of one metric, kept for drawing.
 *
 * Invariants: entries are sorted by step, equal steps in order of arrival; memory is bounded, since a
 * full store merges neighbours and then keeps smallest and largest of each merged stretch; values that
 * are not finite never stand among the entries but among the marks.
 */

/** Values in a row that are no number to draw. */
export interface Mark {
  readonly kind: "NaN" | "Inf" | "-Inf";
  readonly step: number;
  /** Seconds since the Unix epoch. */
  readonly time: number;
  count: number;
}

export interface Point {
  readonly step: number;
  /** Seconds since the Unix epoch. */
  readonly time: number;
  readonly value: number;
}

/** One stretch of neighbouring points, as a server sends it. */
export interface Bucket {
  readonly step: number;
  readonly time: number;
  readonly count: number;
  readonly low: number;
  readonly high: number;
  readonly value: number;
}

/** Entries as columns; an entry that stands for several points has their mean as its value. */
export interface Columns {
  readonly length: number;
  /** Step of an entry's first point. */
  readonly step: Float64Array;
  readonly time: Float64Array;
  readonly value: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly count: Float64Array;
  /** Points that were not finite between this entry and the one before. */
  readonly gap: Float64Array;
}

/** Entries that a series keeps; a chart has fewer pixels. */
const DEFAULT_CAPACITY = 4096;
/** A run may have ten thousand metrics of a few points each. */
const FIRST_ROOM = 8;
const MAX_MARKS = 256;
const FIELDS = ["step", "time", "value", "low", "high", "count", "gap"] as const;
type Field = (typeof FIELDS)[number];

function kindOf(value: number): Mark["kind"] {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "Inf" : "-Inf";
}

export class Series {
  readonly name: string;
  /** In order of arrival; neighbours of one kind are one mark. */
  readonly marks: Mark[] = [];
  readonly #capacity: number;
  #columns = Object.fromEntries(FIELDS.map((field) => [field, new Float64Array(FIRST_ROOM)])) as Record<
    Field,
    Float64Array
  >;
  #length = 0;
  #total = 0;
  /** Points that one entry is filled up to. */
  #fill = 1;
  #sorted = true;
  #gap = 0;
  #last: Point | null = null;
  #tail: Point | null = null;

  constructor(name: string, capacity = DEFAULT_CAPACITY) {
    this.name = name;
    this.#capacity = Math.max(8, capacity);
  }

  /** Points received, those that are not finite included. */
  get total(): number {
    return this.#total;
  }

  /** The point that arrived last, finite or not. */
  get last(): Point | null {
    return this.#last;
  }

  /** The finite point of the largest step: where the line ends. */
  get tail(): Point | null {
    return this.#tail;
  }

  /** Whether entries stand for more than one point. */
  get thinned(): boolean {
    return this.#fill > 1;
  }

  /** Views of the entries, valid until the next change. */
  columns(): Columns {
    this.#sort();
    const views = FIELDS.map((field) => [field, this.#columns[field].subarray(0, this.#length)]);
    return { length: this.#length, ...(Object.fromEntries(views) as Record<Field, Float64Array>) };
  }

  /** Add points in order of arrival; `steps` may go backwards. Times are seconds since the Unix epoch. */
  append(steps: ArrayLike<number>, times: ArrayLike<number>, values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) this.#add(steps[i] as number, times[i] as number, values[i] as number);
  }

  /** Add stretches that were reduced elsewhere. */
  appendBuckets(buckets: Iterable<Bucket>): void {
    for (const { step, time, count, low, high, value } of buckets) {
      this.#fill = Math.max(this.#fill, 2 ** Math.ceil(Math.log2(count)));
      if (!Number.isFinite(value)) {
        this.#mark(step, time, value, count);
        continue;
      }
      this.#see(step, time, value, count);
      this.#push(step, time, value, count);
      this.#columns.low[this.#length - 1] = Number.isFinite(low) ? Math.min(low, value) : value;
      this.#columns.high[this.#length - 1] = Number.isFinite(high) ? Math.max(high, value) : value;
    }
  }

  #add(step: number, time: number, value: number): void {
    if (!Number.isFinite(value)) {
      this.#mark(step, time, value, 1);
      return;
    }
    this.#see(step, time, value, 1);
    const { count, low, high, value: mean, step: first } = this.#columns;
    const end = this.#length - 1;
    const room = end >= 0 && (count[end] as number) < this.#fill;
    if (!room || this.#gap || !this.#sorted || step < (first[end] as number)) {
      this.#push(step, time, value, 1);
      return;
    }
    const held = count[end] as number;
    mean[end] = ((mean[end] as number) / (held + 1)) * held + value / (held + 1);
    low[end] = Math.min(low[end] as number, value);
    high[end] = Math.max(high[end] as number, value);
    count[end] = held + 1;
  }

  #see(step: number, time: number, value: number, count: number): void {
    this.#total += count;
    this.#last = { step, time, value };
    if (!this.#tail || step >= this.#tail.step) this.#tail = this.#last;
  }

  #mark(step: number, time: number, value: number, count: number): void {
    this.#total += count;
    this.#gap += count;
    this.#last = { step, time, value };
    const kind = kindOf(value);
    const before = this.marks.at(-1);
    if (before && before.kind === kind && (this.#gap > count || this.marks.length >= MAX_MARKS)) before.count += count;
    else if (this.marks.length < MAX_MARKS) this.marks.push({ kind, step, time, count });
  }

  #push(step: number, time: number, value: number, count: number): void {
    if (this.#length >= this.#capacity) this.#thin();
    if (this.#length >= this.#columns.step.length) this.#grow();
    const at = this.#length++;
    if (at && step < (this.#columns.step[at - 1] as number)) this.#sorted = false;
    const entry = { step, time, value, low: value, high: value, count, gap: this.#gap };
    for (const field of FIELDS) this.#columns[field][at] = entry[field];
    this.#gap = 0;
  }

  #grow(): void {
    const size = Math.min(this.#capacity, 2 * this.#columns.step.length);
    for (const field of FIELDS) {
      const column = new Float64Array(size);
      column.set(this.#columns[field]);
      this.#columns[field] = column;
    }
  }

  #sort(): void {
    if (this.#sorted) return;
    const steps = this.#columns.step;
    const order = Array.from({ length: this.#length }, (_, i) => i);
    order.sort((a, b) => (steps[a] as number) - (steps[b] as number) || a - b);
    for (const field of FIELDS) {
      const column = this.#columns[field];
      const copy = column.slice(0, this.#length);
      for (let i = 0; i < order.length; i++) column[i] = copy[order[i] as number] as number;
    }
    this.#sorted = true;
  }

  /** Merge neighbours until at most three quarters of the room are taken. */
  #thin(): void {
    this.#sort();
    while (this.#length > 0.75 * this.#capacity) {
      this.#fill *= 2;
      this.#mergeNeighbours();
    }
  }

  #mergeNeighbours(): void {
    const { step, time, value, low, high, count, gap } = this.#columns;
    let kept = -1;
    for (let i = 0; i < this.#length; i++) {
      const more = count[i] as number;
      const held = kept < 0 ? Number.POSITIVE_INFINITY : (count[kept] as number);
      // A long gap stays a gap; a short one is narrower than what one entry stands for.
      if (held + more <= this.#fill && (gap[i] as number) <= this.#fill) {
        const all = held + more;
        value[kept] = (value[kept] as number) * (held / all) + (value[i] as number) * (more / all);
        low[kept] = Math.min(low[kept] as number, low[i] as number);
        high[kept] = Math.max(high[kept] as number, high[i] as number);
        count[kept] = all;
        continue;
      }
      kept += 1;
      for (const column of [step, time, value, low, high, count, gap]) column[kept] = column[i] as number;
    }
    this.#length = kept + 1;
  }
}

/** Keeps what was used last, up to a size. Pure but for what `dropped` does. */
export class Lru<T> {
  readonly #most: number;
  readonly #dropped: (value: T) => void;
  readonly #held = new Map<string, { readonly value: T; readonly size: number }>();
  #size = 0;

  /** `dropped` hears of each value that leaves. */
  constructor(most: number, dropped: (value: T) => void = () => undefined) {
    this.#most = most;
    this.#dropped = dropped;
  }

  get size(): number {
    return this.#size;
  }

  /** Return a value, which counts as used now; undefined where it is not held. */
  get(key: string): T | undefined {
    const entry = this.#held.get(key);
    if (!entry) return undefined;
    this.#held.delete(key);
    this.#held.set(key, entry);
    return entry.value;
  }

  /** Hold a value; the newest one is held however large it is. */
  put(key: string, value: T, size: number): void {
    this.#drop(key);
    this.#held.set(key, { value, size });
    this.#size += size;
    for (const oldest of this.#held.keys()) {
      if (this.#size <= this.#most || oldest === key) break;
      this.#drop(oldest);
    }
  }

  clear(): void {
    for (const key of [...this.#held.keys()]) this.#drop(key);
  }

  #drop(key: string): void {
    const entry = this.#held.get(key);
    if (!entry) return;
    this.#held.delete(key);
    this.#size -= entry.size;
    this.#dropped(entry.value);
  }
}

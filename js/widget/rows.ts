/**
 * The rows that a page has received, as they came, for downloads. Pure.
 *
 * Invariant: either every row is held, or `complete` is false; memory is bounded, the newest rows are kept.
 */

import type { Frame } from "../api";

const MOST_BYTES = 48 * 2 ** 20;
/** Spreadsheets run a text that begins with one of these as a formula. */
const FORMULA = /^[=+\-@\t\r]/;

export class Rows {
  #frames: Frame[] = [];
  #bytes = 0;
  #complete: boolean;
  readonly #mostBytes: number;

  /** `complete`: whether what comes is all there is. `mostBytes` of rows are held. */
  constructor(complete = true, mostBytes = MOST_BYTES) {
    this.#complete = complete;
    this.#mostBytes = mostBytes;
  }

  /** Whether every row is here. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Some rows did not come. */
  lose(): void {
    this.#complete = false;
  }

  append(frames: readonly Frame[]): void {
    for (const frame of frames) {
      this.#frames.push(frame);
      this.#bytes += sizeOf(frame);
    }
    while (this.#bytes > this.#mostBytes) {
      this.#complete = false;
      this.#bytes -= sizeOf(this.#frames.shift() as Frame);
    }
  }

  /** Rows in order of arrival, as CSV: step, time, and a column for each metric. */
  toCsv(): string {
    const names = [...new Set(this.#frames.flatMap(({ names }) => names))];
    const places = new Map(names.map((name, i) => [name, i]));
    const lines = [["step", "time", ...names.map(cell)].join(",")];
    for (const frame of this.#frames) {
      for (let row = 0; row < frame.steps.length; row++) {
        const cells: string[] = names.map(() => "");
        for (const [i, name] of frame.names.entries()) {
          cells[places.get(name) as number] = numberText(frame.columns[i]?.[row] as number);
        }
        lines.push([frame.steps[row], isoTime(frame.times[row] as number), ...cells].join(","));
      }
    }
    return `${lines.join("\r\n")}\r\n`;
  }

  /** Series by metric, as plain lists; NaN and ±Infinity are text. */
  toSeries(): Record<string, { step: number[]; time: string[]; value: (number | string)[] }> {
    const series = new Map<string, { step: number[]; time: string[]; value: (number | string)[] }>();
    for (const { names, steps, times, columns } of this.#frames) {
      const when = Array.from(times, isoTime);
      for (const [i, name] of names.entries()) {
        const one = series.get(name) ?? { step: [], time: [], value: [] };
        series.set(name, one);
        for (let row = 0; row < steps.length; row++) {
          const value = columns[i]?.[row] as number;
          one.step.push(steps[row] as number);
          one.time.push(when[row] as string);
          one.value.push(Number.isFinite(value) ? value : numberText(value));
        }
      }
    }
    return Object.fromEntries(series);
  }
}

function sizeOf(frame: Frame): number {
  return 8 * frame.steps.length * (frame.columns.length + 2);
}

function isoTime(seconds: number): string {
  const micros = Math.round(seconds * 1e6);
  const text = new Date(Math.floor(micros / 1e3)).toISOString();
  return `${text.slice(0, -1)}${String(((micros % 1e3) + 1e3) % 1e3).padStart(3, "0")}Z`;
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0.0" : String(value);
}

function cell(name: string): string {
  const text = FORMULA.test(name) ? `'${name}` : name;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Return a file name that every system takes, for a run of this name. */
export function fileName(name: string, extension: string): string {
  const safe = name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "");
  return `${safe.slice(0, 80) || "run"}.${extension}`;
}

/** Points as text for spreadsheets and programs (RFC 4180). Pure. */

import type { Frame } from "../api";
import type { Line, Range } from "./lines";
import { nameOfX, type XAxis } from "./options";

/** Spreadsheets run a text that begins with one of these as a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** Return a text as a cell. */
export function cell(name: string): string {
  const text = FORMULA.test(name) ? `'${name}` : name;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Return a number that reads back as the same double. */
export function numberText(value: number): string {
  return Object.is(value, -0) ? "-0.0" : String(value);
}

/** Return an instant with its microseconds, RFC 3339. */
export function isoTime(seconds: number): string {
  const micros = Math.round(seconds * 1e6);
  const text = new Date(Math.floor(micros / 1e3)).toISOString();
  return `${text.slice(0, -1)}${String(((micros % 1e3) + 1e3) % 1e3).padStart(3, "0")}Z`;
}

function file(lines: readonly string[]): string {
  return `${lines.join("\r\n")}\r\n`;
}

/** Rows in order of arrival: step, time, and a column for each of `metrics`, or of all there are. */
export function csvOfFrames(frames: readonly Frame[], metrics?: readonly string[]): string {
  const names = metrics ?? [...new Set(frames.flatMap((frame) => frame.names))];
  const places = new Map(names.map((name, i) => [name, i]));
  const lines = [["step", "time", ...names.map(cell)].join(",")];
  for (const frame of frames) {
    const wanted = frame.names.flatMap((name, i) => {
      const place = places.get(name);
      return place === undefined ? [] : [[place, frame.columns[i]] as const];
    });
    if (!wanted.length) continue;
    for (let row = 0; row < frame.steps.length; row++) {
      const cells: string[] = names.map(() => "");
      for (const [place, column] of wanted) cells[place] = numberText(column?.[row] as number);
      lines.push([frame.steps[row], isoTime(frame.times[row] as number), ...cells].join(","));
    }
  }
  return file(lines);
}

/**
 * What a chart shows: a row for each x within `zoom` (null: everywhere), rising.
 *
 * Each line has its values, and beside them the smallest and largest of merged points and the smoothed line, where it
 * is drawn with these. Values that are no number stand where their marks are.
 */
export function csvOfLines(lines: readonly Line[], x: XAxis, zoom: Range | null): string {
  const columns = lines.flatMap((line) => {
    const more: (readonly [string, Float64Array])[] = [[line.title, line.y]];
    if (line.band) more.push([`${line.title} min`, line.band.low], [`${line.title} max`, line.band.high]);
    if (line.smoothed) more.push([`${line.title} smoothed`, line.smoothed]);
    return more.map(([name, values], i) => ({ line, name, values, own: i === 0 }));
  });
  const within = (at: number) => zoom === null || (at >= zoom.low && at <= zoom.high);
  const rows = new Map<number, string[][]>();
  for (const [place, { line, values, own }] of columns.entries()) {
    const seen = new Map<number, number>();
    const put = (at: number, text: string) => {
      if (!within(at)) return;
      // Several points of one line at one x are as many rows.
      const no = seen.get(at) ?? 0;
      seen.set(at, no + 1);
      const held = rows.get(at) ?? [];
      rows.set(at, held);
      while (held.length <= no) held.push(columns.map(() => ""));
      (held[no] as string[])[place] = text;
    };
    for (let i = 0; i < line.length; i++) put(line.x[i] as number, numberText(values[i] as number));
    if (own)
      for (const mark of line.marks) put(mark.x, { NaN: "NaN", Inf: "Infinity", "-Inf": "-Infinity" }[mark.kind]);
  }
  const named = (at: number) => (x === "wall" ? isoTime(at) : numberText(at));
  const texts = [...rows]
    .sort(([a], [b]) => a - b)
    .flatMap(([at, held]) => held.map((cells) => [named(at), ...cells].join(",")));
  return file([[nameOfX(x), ...columns.map(({ name }) => name)].map(cell).join(","), ...texts]);
}

/** Return a file name that every system takes, for a run or a chart of this name. */
export function fileName(name: string, extension: string): string {
  const safe = name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "");
  return `${safe.slice(0, 80) || "run"}.${extension}`;
}

/**
 * Writes a whole run as one HTML file, from a page that holds all its points; `anonrun.notebook.html_file` does so from
 * Python. Both fill in the same page, which brings its own script, style and policy (`page.template`).
 *
 * Invariant: the file holds no token, no account and no address of a server; what a run holds is text in it, never markup.
 */

import { encodeAll, type Frame, pointsOf } from "../api";
import { formatInstant, formatValue, groupMetrics, History, isOfMachine, ofTraining, zoneName } from "../charts";
import { lineOf } from "../charts/lines";
import { DEFAULT_OPTIONS } from "../charts/options";
import { svgTextOf } from "../charts/picture";
import { escaped } from "../charts/svg";
import { longValue } from "../dashboard/format";
import { flatPairs } from "../dashboard/pairs";
import { paceOf } from "../status";
import { stepText } from "../status/progress";
import type { Held } from "./held";

/** What is known of a run by whoever saves it. */
export type Saved = Held["run"] & { readonly failure?: string | null | undefined };

/** Points that a file holds; of more, `anonrun export` writes one that has each stretch's extremes. */
export const MOST_POINTS = 500_000;

const MOST_CHARTS = 12;
const MOST_ROWS = 2_000;
const TOLD = [
  ...["run_id", "project", "id", "name", "state", "anonymous", "created_at", "finished_at", "heartbeat_at"],
  ...["exit_code", "error", "failure", "total", "config", "tags", "notes", "group", "job_type"],
] as const;
const TOKEN = /anr_[a-z]_[0-9A-Za-z]+/g;
const INKS = {
  text: "#5f6975",
  grid: "#e3e7eb",
  alarm: "#c4321f",
  strong: "#1b1f24",
  paper: "#ffffff",
  family: "system-ui, sans-serif",
};

const redacted = (text: string) => text.replace(TOKEN, "anr_*_[redacted]");

/** Return JSON that no reader of HTML takes for markup, whatever it holds. */
function asData(value: unknown): string {
  const unsafe = /[<>&\u2028\u2029]/g;
  const code = (letter: string) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return redacted(JSON.stringify(value)).replace(unsafe, code);
}

function base64(bytes: Uint8Array): string {
  // A function takes only so many arguments.
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[], look = ""): string {
  if (!rows.length) return "";
  const cells = (tag: string, texts: readonly string[]) =>
    texts.map((text) => `<${tag}${look}>${escaped(text)}</${tag}>`).join("");
  const [first = "", ...others] = heads;
  const body = rows
    .slice(0, MOST_ROWS)
    .map(([name = "", ...values]) => `<tr><th scope="row">${escaped(name)}</th>${cells("td", values)}</tr>`);
  const more = rows.length > MOST_ROWS ? `<p>… and ${rows.length - MOST_ROWS} more.</p>` : "";
  const head = `<tr><th scope="col">${escaped(first)}</th>${cells("th", others)}</tr>`;
  return `<h2>${title}</h2><table><thead>${head}</thead><tbody>${body.join("\n")}</tbody></table>${more}`;
}

/** Name, last, smallest and largest value, and number of points of each metric. */
function metricRows(frames: readonly Frame[]): string[][] {
  const known = new Map<string, { last: number; low: number; high: number; count: number }>();
  for (const { names, columns } of frames) {
    for (const [i, name] of names.entries()) {
      const one = known.get(name) ?? { last: Number.NaN, low: Number.NaN, high: Number.NaN, count: 0 };
      for (const value of columns[i] as Float64Array) {
        if (!(one.low <= value) && !Number.isNaN(value)) one.low = value;
        if (!(one.high >= value) && !Number.isNaN(value)) one.high = value;
        one.last = value;
        one.count += 1;
      }
      known.set(name, one);
    }
  }
  const text = (value: number) => (Number.isNaN(value) ? "" : formatValue(value));
  return [...known].map(([name, { last, low, high, count }]) => [
    name,
    formatValue(last),
    text(low),
    text(high),
    String(count),
  ]);
}

function charts(history: History, document: Document): string {
  const specs = groupMetrics(history.series.keys()).filter(({ section }) => section === "charts");
  const { smoothing, ...how } = DEFAULT_OPTIONS;
  const images = specs.slice(0, MOST_CHARTS).map(({ title, series }) => {
    const lines = series.flatMap(({ metric, label }, index) => {
      const held = history.series.get(metric);
      return held ? [lineOf(held, { index, label }, smoothing, { x: how.x, start: 0 })] : [];
    });
    const svg = svgTextOf({ title, theme: "light", inks: INKS, shown: { lines, ...how, zoom: null } }, document);
    const source = base64(new TextEncoder().encode(svg));
    return `<img alt="Chart of ${escaped(title)}" src="data:image/svg+xml;base64,${source}">`;
  });
  if (specs.length > images.length) images.push(`<p>${images.length} of ${specs.length} charts are pictured here.</p>`);
  return images.join("\n");
}

/** The run as it stands without scripts, and on paper. */
function still(run: Saved, frames: readonly Frame[], savedAt: Date, document: Document): string {
  const history = new History();
  history.append(frames);
  const pace = paceOf(history.series.values());
  const saved = `saved ${formatInstant(savedAt)} (${zoneName(savedAt)})`;
  const place = [run.project, run.id, ...(run.tags ?? [])].filter(Boolean).join(" / ");
  const said = [[run.state, pace && stepText(pace, run.total), saved].filter(Boolean).join(" · "), place];
  const heads = ["metric", "last", "min", "max", "points"];
  const metrics = metricRows(frames);
  const ofMachine = ([name = ""]: string[]) => isOfMachine(name);
  const pairs = (values: object | undefined) =>
    flatPairs({ ...values }).map(([name, value]) => [name, longValue(value)] as const);
  return [
    `<h1>${escaped(run.name)}</h1>`,
    ...[...said, run.failure ?? run.error, run.notes].map((text) => (text ? `<p>${escaped(text)}</p>` : "")),
    charts(history, document),
    table(
      "Metrics",
      heads,
      metrics.filter((row) => !ofMachine(row)),
      ' class="number"',
    ),
    table("Summary", ["name", "value"], pairs(run.summary)),
    table("Config", ["name", "value"], pairs(run.config)),
    table("System", heads, metrics.filter(ofMachine), ' class="number"'),
  ].join("\n");
}

/** The last value of each metric, for a run whose server has not told its summary. */
function lastValues(frames: readonly Frame[]): Record<string, number | string> {
  const last: Record<string, number | string> = {};
  for (const { names, columns } of frames) {
    for (const [i, name] of names.entries()) {
      const value = columns[i]?.at(-1) as number;
      last[name] = Number.isFinite(value) ? value : String(value);
    }
  }
  return last;
}

/**
 * Return a run as a file; `page` is the built `page.template`, `frames` are all its rows in order of arrival.
 *
 * Rejects more points than a file holds with a sentence that says what to do.
 */
export function fileOf(page: string, run: Saved, frames: readonly Frame[], savedAt: Date, document: Document): Blob {
  const points = pointsOf(frames);
  if (points > MOST_POINTS) {
    throw new Error(
      `This run has ${points} points, and a page saves at most ${MOST_POINTS} in one file. ` +
        `“anonrun export ${run.id} -o run.html” writes one that has each stretch's smallest and largest.`,
    );
  }
  const told = Object.fromEntries(TOLD.flatMap((name) => (run[name] === undefined ? [] : [[name, run[name]]])));
  const summary = ofTraining<unknown>(run.summary ?? lastValues(frames));
  const whole = { ...run, summary };
  const held = { run: { ...told, summary }, saved_at: savedAt.toISOString(), points, held_points: points };
  // Not part of what is redacted: base64 holds no token, and may be megabytes.
  const data = `${asData(held).slice(0, -1)},"segments":"${base64(encodeAll(frames))}"}`;
  const parts: Record<string, string> = {
    title: redacted(escaped(`${run.name} · anonrun`)),
    still: redacted(still(whole, frames, savedAt, document)),
    held: data,
  };
  const text = page.replace(/\{\{(title|still|held)\}\}/g, (_, name: string) => parts[name] as string);
  return new Blob([text], { type: "text/html" });
}

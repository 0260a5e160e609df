/** Words for times, counts and values, on top of the charts' formats; each is given the moment and leaves the clock alone. */
import { formatInstant, formatValue, zoneName } from "../charts/format";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `Mon 30 Nov 2026, 23:31` in the reader's zone. */
export function exactTime(iso: string, timeZone?: string): string {
  return formatInstant(new Date(iso), timeZone);
}

/** The exact time with its zone: `Mon 30 Nov 2026, 23:31, Europe/Berlin (GMT+1)`. */
export function fullTime(iso: string, timeZone?: string): string {
  return `${exactTime(iso, timeZone)}, ${zoneName(new Date(iso), timeZone)}`;
}

/** `just now`, `5 min ago`, `3 h ago`, `2 d ago`. */
export function ago(iso: string, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - Date.parse(iso)) / 1000);
  if (seconds < 45) return "just now";
  if (seconds < HOUR - MINUTE / 2) return `${Math.max(1, Math.round(seconds / MINUTE))} min ago`;
  if (seconds < DAY - HOUR / 2) return `${Math.max(1, Math.round(seconds / HOUR))} h ago`;
  return `${Math.max(1, Math.round(seconds / DAY))} d ago`;
}

/** A whole number in full, grouped: `12 480`. */
export function count(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** `1 point`, `12 480 points`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

const UNITS = ["kB", "MB", "GB", "TB"];

/** A file's size, in powers of a thousand as file managers have it: `0 B`, `999 B`, `1.5 kB`, `12 MB`. */
export function fileSize(bytes: number): string {
  let size = bytes;
  let unit = "B";
  for (const next of UNITS) {
    if (size < 999.5) break;
    size /= 1000;
    unit = next;
  }
  const digits = unit !== "B" && size < 9.95 ? 1 : 0;
  return `${size.toFixed(digits)}\u202f${unit}`;
}

const SPECIAL = new Set<unknown>(["NaN", "Infinity", "-Infinity"]);

/** Whether a value of a summary is a number; NaN and ±Infinity arrive as text. */
export function isNumber(value: unknown): value is number | "NaN" | "Infinity" | "-Infinity" {
  return typeof value === "number" || SPECIAL.has(value);
}

/** A value of a summary or a config on one line: numbers to four digits, JSON for what is nested. */
export function shortValue(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (isNumber(value)) return formatValue(Number(value));
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The same where there is room: numbers to six digits. */
export function longValue(value: unknown): string {
  if (isNumber(value)) return formatValue(Number(value), 6);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Tables: reading, filtering, sorting, turning pages. Pure. */

import { cell } from "../charts/csv";
import { formatValue } from "../charts/format";
import { isTexts, objectIn } from "./reading";

export type Cell = string | number | boolean | null;

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface Order {
  readonly column: number;
  readonly falling: boolean;
}

function isCell(value: unknown): value is Cell {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

/** Return the table in a content, or null where there is none. */
export function tableIn(text: string): Table | null {
  const { columns, rows } = objectIn(text) ?? {};
  if (!isTexts(columns) || !columns.length || !Array.isArray(rows)) return null;
  const good = rows.every((row) => Array.isArray(row) && row.length === columns.length && row.every(isCell));
  return good ? { columns, rows } : null;
}

/** NaN and the infinities come as text, and are sorted as the numbers that they are. */
const NO_NUMBERS = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

function numberIn(value: Cell): number | null {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  return typeof value === "string" ? (NO_NUMBERS.get(value) ?? null) : null;
}

/** Numbers before texts, NaN behind both, nothing last; `falling` turns numbers and texts round, each among themselves. */
function rankOf(value: Cell): number {
  if (value === null) return 3;
  const number = numberIn(value);
  if (number === null) return 1;
  return Number.isNaN(number) ? 2 : 0;
}

const texts = new Intl.Collator("en", { numeric: true });

/** Return which of two cells comes first: below 0 for `a`. */
export function compared(a: Cell, b: Cell, falling: boolean): number {
  const byRank = rankOf(a) - rankOf(b);
  if (byRank) return byRank;
  const [x, y] = [numberIn(a), numberIn(b)];
  const by = x !== null && y !== null ? x - y : texts.compare(String(a), String(b));
  return falling ? -by : by;
}

/** Return the rows that have `filter` in a cell, in order; rows that are equal stand as they were logged. */
export function rowsOf({ rows }: Table, filter: string, order: Order | null): readonly (readonly Cell[])[] {
  const wanted = filter.trim().toLowerCase();
  const found = wanted
    ? rows.filter((row) => row.some((value) => value !== null && String(value).toLowerCase().includes(wanted)))
    : rows;
  if (!order) return found;
  return [...found].sort((a, b) => compared(a[order.column] ?? null, b[order.column] ?? null, order.falling));
}

/** Return the next order when a column's header is pressed: rising, falling, as logged. */
export function nextOrder(order: Order | null, column: number): Order | null {
  if (order?.column !== column) return { column, falling: false };
  return order.falling ? null : { column, falling: true };
}

/** Return whether a column is of numbers, and stands to the right. */
export function isNumeric({ rows }: Table, column: number): boolean {
  const held = rows.slice(0, 200).map((row) => row[column] ?? null);
  return (
    held.some((value) => typeof value === "number") && held.every((value) => value === null || rankOf(value) !== 1)
  );
}

/** Return a cell as it is read: numbers as they were logged as long as that is short. */
export function cellText(value: Cell): string {
  if (typeof value !== "number") return value === null ? "" : String(value);
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : formatValue(value, 6);
}

/** Return rows for spreadsheets and programs (RFC 4180), each number to its last digit. */
export function csvOfRows(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) =>
    cells.map((value) => (typeof value === "string" ? cell(value) : value === null ? "" : String(value))).join(",");
  return [columns, ...rows].map((row) => `${line(row)}\r\n`).join("");
}

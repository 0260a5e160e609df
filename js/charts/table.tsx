/** The numbers behind a chart, for reading and for screen readers. */

import { useState } from "preact/hooks";
import { formatValue } from "./format";
import type { Line, Range } from "./lines";
import { type ChartOptions, nameOfX } from "./options";
import { formatX } from "./place";

const MAX_ROWS = 500;
const NO_NUMBER = { NaN: Number.NaN, Inf: Number.POSITIVE_INFINITY, "-Inf": Number.NEGATIVE_INFINITY };

/** Rows by x within `zoom` (null: everywhere), newest first; a line without a point at some x has an empty cell there. */
export function rowsOf(
  lines: readonly Line[],
  zoom: Range | null = null,
  limit = MAX_ROWS,
): { x: number; values: (number | null)[] }[] {
  const rows = new Map<number, (number | null)[]>();
  const within = (x: number) => zoom === null || (x >= zoom.low && x <= zoom.high);
  for (const [column, line] of lines.entries()) {
    const put = (x: number, value: number) => {
      const row = rows.get(x) ?? lines.map(() => null);
      row[column] = value;
      rows.set(x, row);
    };
    for (const mark of line.marks.slice(-limit)) if (within(mark.x)) put(mark.x, NO_NUMBER[mark.kind]);
    let left = limit;
    for (let i = line.length - 1; i >= 0 && left > 0; i--) {
      const x = line.x[i] as number;
      if (!within(x)) continue;
      left -= 1;
      if (rows.get(x)?.[column] == null) put(x, line.y[i] as number);
    }
  }
  return [...rows]
    .sort(([a], [b]) => b - a)
    .slice(0, limit)
    .map(([x, values]) => ({ x, values }));
}

export interface PointTableProps {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly options: ChartOptions;
  readonly zoom: Range | null;
}

/** A table that scrolls within the room it is given. */
export function PointTable({ title, lines, options, zoom }: PointTableProps) {
  const rows = rowsOf(lines, zoom);
  const merged = lines.some((line) => line.band) ? " A row may be the mean of several points." : "";
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="anr-rows" tabIndex={0} aria-label={`Values of ${title}`}>
      <table class="anr-num">
        <caption>{(rows.length === MAX_ROWS ? `The last ${MAX_ROWS} rows.` : "All rows.") + merged}</caption>
        <thead>
          <tr>
            <th scope="col">{options.x === "relative" ? "time" : nameOfX(options.x)}</th>
            {lines.map((line) => (
              <th key={line.title} scope="col" title={line.title}>
                {line.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ x, values }) => (
            <tr key={x}>
              <th scope="row">{formatX(x, options).replace(/^step /, "")}</th>
              {values.map((value, i) => (
                <td key={lines[i]?.title}>{value === null ? "" : formatValue(value, 6)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The same, closed until it is asked for. */
export function ValueTable(props: PointTableProps) {
  const [open, setOpen] = useState(false);
  return (
    <details class="anr-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Values as a table</summary>
      {open && <PointTable {...props} />}
    </details>
  );
}

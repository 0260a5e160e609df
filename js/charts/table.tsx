/** The numbers behind a chart, for reading and for screen readers. */

import { useState } from "preact/hooks";
import { formatX } from "./card";
import { formatValue } from "./format";
import type { Line } from "./lines";
import type { ChartOptions } from "./options";

const MAX_ROWS = 500;

/** Rows by x, newest first; a line without a point at some x has an empty cell there. */
export function rowsOf(lines: readonly Line[], limit = MAX_ROWS): { x: number; values: (number | null)[] }[] {
  const rows = new Map<number, (number | null)[]>();
  for (const [column, line] of lines.entries()) {
    for (let i = Math.max(0, line.length - limit); i < line.length; i++) {
      const x = line.x[i] as number;
      const row = rows.get(x) ?? lines.map(() => null);
      row[column] = line.y[i] as number;
      rows.set(x, row);
    }
  }
  return [...rows]
    .sort(([a], [b]) => b - a)
    .slice(0, limit)
    .map(([x, values]) => ({ x, values }));
}

export function ValueTable({ lines, options }: { lines: readonly Line[]; options: ChartOptions }) {
  const [open, setOpen] = useState(false);
  const rows = open ? rowsOf(lines) : [];
  return (
    <details class="anr-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Values as a table</summary>
      <div>
        <table class="anr-num">
          <caption>
            {rows.length === MAX_ROWS ? `The last ${MAX_ROWS} rows.` : "All rows."}
            {lines.some((line) => line.band) && " A row may be the mean of several points."}
          </caption>
          <thead>
            <tr>
              <th scope="col">{options.x === "step" ? "step" : "time"}</th>
              {lines.map((line) => (
                <th key={line.metric} scope="col">
                  {line.metric}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ x, values }) => (
              <tr key={x}>
                <th scope="row">{formatX(x, options).replace(/^step /, "")}</th>
                {values.map((value, i) => (
                  <td key={lines[i]?.metric}>{value === null ? "" : formatValue(value, 6)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

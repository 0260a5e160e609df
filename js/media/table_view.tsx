/** A table as it was logged: sorted by its headers, filtered, page by page, and saved as CSV. */

import { useMemo, useState } from "preact/hooks";
import { type Cell, cellText, csvOfRows, isNumeric, nextOrder, type Order, rowsOf, type Table, tableIn } from "./cells";
import { Unreadable } from "./content";

const PAGE_ROWS = 25;

interface HeadProps {
  readonly table: Table;
  readonly numeric: readonly boolean[];
  readonly order: Order | null;
  onOrder(order: Order | null): void;
}

function Head({ table, numeric, order, onOrder }: HeadProps) {
  return (
    <thead>
      <tr>
        {table.columns.map((column, i) => {
          const mine = order?.column === i ? order : null;
          const sorted = mine ? (mine.falling ? "descending" : "ascending") : undefined;
          return (
            <th key={i} scope="col" aria-sort={sorted} data-number={numeric[i] || undefined}>
              <button
                type="button"
                class="anr-sort"
                title={`Sort by ${column}`}
                onClick={() => onOrder(nextOrder(order, i))}
              >
                {column || `column ${i + 1}`}
                <span aria-hidden="true">{mine ? (mine.falling ? " ↓" : " ↑") : ""}</span>
              </button>
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

interface PagesProps {
  readonly name: string;
  readonly page: number;
  readonly found: number;
  readonly all: number;
  onPage(page: number): void;
}

function Pages({ name, page, found, all, onPage }: PagesProps) {
  const last = Math.max(0, Math.ceil(found / PAGE_ROWS) - 1);
  const from = page * PAGE_ROWS;
  const rows = found ? `${from + 1}–${Math.min(found, from + PAGE_ROWS)} of ${found}` : "none";
  const turn = (label: string, to: number) => (
    <button
      type="button"
      class="anr-quiet"
      aria-label={`${label} rows of ${name}`}
      aria-disabled={to < 0 || to > last}
      onClick={() => to >= 0 && to <= last && onPage(to)}
    >
      {label}
    </button>
  );
  return (
    <p class="anr-pages anr-num">
      <span role="status">
        {found === all ? "rows" : "found"} {rows}
      </span>
      {last > 0 && turn("Previous", page - 1)}
      {last > 0 && turn("Next", page + 1)}
    </p>
  );
}

function CellView({ value, numeric }: { readonly value: Cell; readonly numeric: boolean }) {
  const text = cellText(value);
  return (
    <td data-number={numeric || undefined} title={text.length > 30 ? text : undefined}>
      {value === null ? <span class="anr-dim">–</span> : text}
    </td>
  );
}

export interface TableViewProps {
  readonly name: string;
  readonly text: string;
  /** Takes a file of what is shown. */
  onSave(file: Blob): void;
}

export function TableView({ name, text, onSave }: TableViewProps) {
  const table = useMemo(() => tableIn(text), [text]);
  const [filter, setFilter] = useState("");
  const [order, setOrder] = useState<Order | null>(null);
  const [turned, setPage] = useState(0);
  const [copied, setCopied] = useState("");
  const numeric = useMemo(() => table?.columns.map((_, i) => isNumeric(table, i)) ?? [], [table]);
  const rows = useMemo(() => (table ? rowsOf(table, filter, order) : []), [table, filter, order]);
  if (!table) return <Unreadable what="table" />;
  const page = Math.min(turned, Math.max(0, Math.ceil(rows.length / PAGE_ROWS) - 1));
  const csv = () => csvOfRows(table.columns, rows);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(csv());
      setCopied("copied");
    } catch {
      // No clipboard over plain HTTP.
      setCopied("The browser lets nothing be copied here; save it instead.");
    }
  };
  return (
    <div class="anr-sheetful">
      <div class="anr-above">
        <input
          type="search"
          placeholder="filter rows"
          aria-label={`Filter rows of ${name}`}
          size={12}
          value={filter}
          onInput={(event) => {
            setFilter(event.currentTarget.value);
            setPage(0);
          }}
        />
        <button type="button" class="anr-quiet" aria-label={`Copy ${name} as CSV`} onClick={() => void copy()}>
          Copy
        </button>
        <button
          type="button"
          class="anr-quiet"
          aria-label={`Save ${name} as CSV`}
          onClick={() => onSave(new Blob([csv()], { type: "text/csv" }))}
        >
          CSV
        </button>
        <span class="anr-dim" role="status">
          {copied}
        </span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="anr-cells anr-num" tabIndex={0} aria-label={`Rows of ${name}`}>
        <table>
          <Head
            {...{ table, numeric, order }}
            onOrder={(next) => {
              setOrder(next);
              setPage(0);
            }}
          />
          <tbody>
            {rows.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS).map((row, i) => (
              <tr key={i}>
                {row.map((value, k) => (
                  <CellView key={k} value={value} numeric={numeric[k] ?? false} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {!rows.length && (
          <p class="anr-remark">{table.rows.length ? "No row has this in it." : "This table has no rows."}</p>
        )}
      </section>
      <Pages name={name} page={page} found={rows.length} all={table.rows.length} onPage={setPage} />
    </div>
  );
}

/** Which columns the table has: facts of every run, and values of their summaries and configs. */
import { useMemo, useState } from "preact/hooks";
import type { RunInfo } from "../../api";
import {
  type Columns,
  DEFAULT_COLUMNS,
  FACT_LABELS,
  FACTS,
  MOST_VALUES,
  nameOf,
  shownValues,
  toggled,
  type ValueColumn,
  valueColumns,
} from "../columns";
import { counted } from "../format";

export interface ColumnChooserProps {
  readonly runs: readonly RunInfo[];
  readonly columns: Columns;
  readonly onColumns: (columns: Columns) => void;
}

/** More boxes than that nobody reads; the filter finds the others. */
const MOST_BOXES = 60;

export function ColumnChooser({ runs, columns, onColumns }: ColumnChooserProps) {
  const [words, setWords] = useState("");
  const shown = shownValues(columns, runs);
  // What is chosen stands in the list also where no run on this page has it.
  const all = useMemo(() => [...new Set([...valueColumns(runs), ...shown])], [runs, shown]);
  const found = all.filter((column) => nameOf(column).toLowerCase().includes(words.toLowerCase()));
  const full = shown.length >= MOST_VALUES;
  const toggle = (column: ValueColumn) => onColumns({ ...columns, values: toggled(shown, column) });
  const group = (kind: "summary" | "config", title: string) => {
    const named = found.filter((column) => column.startsWith(`${kind}:`));
    if (named.length === 0) return null;
    return (
      <fieldset>
        <legend>{title}</legend>
        {named.slice(0, MOST_BOXES).map((column) => (
          <label key={column} class="check">
            <input
              type="checkbox"
              checked={shown.includes(column)}
              disabled={full && !shown.includes(column)}
              onChange={() => toggle(column)}
            />
            <span>{nameOf(column)}</span>
          </label>
        ))}
        {named.length > MOST_BOXES && <p class="hint">{named.length - MOST_BOXES} more: filter to find them.</p>}
      </fieldset>
    );
  };
  return (
    <section class="columns" aria-label="Columns of the table">
      <p class="columns-head">
        <input
          type="search"
          placeholder="filter columns"
          aria-label="Filter columns by name"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value.trim())}
        />
        <span class="dim" role="status">
          {full ? `${MOST_VALUES} values are as many as fit; take one away to add another.` : ""}
        </span>
        <button type="button" class="quiet" onClick={() => onColumns(DEFAULT_COLUMNS)}>
          As it was
        </button>
      </p>
      <fieldset>
        <legend>Every run</legend>
        {FACTS.map((fact) => (
          <label key={fact} class="check">
            <input
              type="checkbox"
              checked={columns.facts.includes(fact)}
              onChange={() => onColumns({ ...columns, facts: toggled(columns.facts, fact) })}
            />
            <span>{FACT_LABELS[fact]}</span>
          </label>
        ))}
        <label class="check">
          <input
            type="checkbox"
            checked={columns.curve}
            onChange={() => onColumns({ ...columns, curve: !columns.curve })}
          />
          <span>curve of the first value</span>
        </label>
      </fieldset>
      {group("summary", "Summary")}
      {group("config", "Config")}
      {found.length === 0 && (
        <p class="dim">{words ? `No column matches “${words}”.` : `No value yet in ${counted(runs.length, "run")}.`}</p>
      )}
    </section>
  );
}

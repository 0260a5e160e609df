/** The table of runs: dense, sorted and filtered as one types, with the reader's columns and a choice of rows. */

import { useMemo, useState } from "preact/hooks";
import type { RunInfo } from "../../api";
import { inStorage } from "../../charts";
import { formatCountdown } from "../../charts/format";
import {
  curveOf,
  FACT_LABELS,
  type Fact,
  nameOf,
  readColumns,
  shownValues,
  type ValueColumn,
  valueIn,
} from "../columns";
import { count, counted, exactTime, shortValue } from "../format";
import { href, projectPath } from "../page";
import {
  type Chosen,
  chosen,
  matches,
  NEWEST_FIRST,
  NONE_CHOSEN,
  nextSort,
  type Sort,
  type SortKey,
  sorted,
} from "../runs_table";
import { BulkBar } from "./bulk_bar";
import { ColumnChooser } from "./column_chooser";
import { useShell } from "./context";
import { Scroll } from "./scroll";
import { Spark } from "./spark";
import { Ago, useNow } from "./time";
import { useKept } from "./use_kept";
import { type RunQuery, type Runs, useRuns, useSettled } from "./use_runs";

const KEPT_COLUMNS = inStorage(() => localStorage, "anonrun.columns");
const DAY_S = 86_400;
const SETTLED_MS = 250;

export interface RunsTableProps {
  readonly heading: string;
  /** Of the heading: 1 where the table is the page. */
  readonly level?: 1 | 2;
  /** Which runs; the same object as long as they are the same. */
  readonly scope: RunQuery;
  /** The runs of `scope`, which has some. */
  readonly whole: Runs;
}

export function RunsTable({ heading, level = 1, scope, whole }: RunsTableProps) {
  const [words, setWords] = useState("");
  const [sort, setSort] = useState<Sort>(NEWEST_FIRST);
  const [columns, setColumns] = useKept(KEPT_COLUMNS, readColumns);
  const [choosing, setChoosing] = useState(false);
  const [choice, setChoice] = useState<Chosen>(NONE_CHOSEN);
  const nowMs = useNow(10_000);

  // What is here as a whole is filtered as one types; else the server looks through the runs that were not loaded.
  const partly = whole.list?.next !== null;
  const settled = useSettled(words, SETTLED_MS);
  const search = useMemo(() => (partly && settled ? { ...scope, words: settled } : null), [partly, settled, scope]);
  const searched = useRuns(search);
  const source = search ? searched : whole;
  const list = source.list;
  const runs = useMemo(() => {
    const here = list?.runs ?? [];
    return sorted(partly ? here : here.filter((run) => matches(run, words)), sort);
  }, [list, partly, words, sort]);

  const loaded = whole.list?.runs ?? [];
  const values = useMemo(() => shownValues(columns, loaded), [columns, loaded]);
  const shown = { facts: columns.facts, values, curve: curveOf(columns, values) };
  const order = runs.map(({ run_id }) => run_id);
  const picked = runs.filter(({ run_id }) => choice.ids.has(run_id));
  const { refusal } = source;
  return (
    <div class="runs">
      <div class="title">
        {level === 1 ? <h1>{heading}</h1> : <h2>{heading}</h2>}
        <span class="dim num" role="status">
          {source.asking ? "searching…" : words && !partly ? `${runs.length} of ${loaded.length}` : runs.length}
          {list?.next ? "+" : ""}
        </span>
        <span class="grow" />
        <input
          type="search"
          placeholder="filter runs"
          aria-label="Filter runs by name, project, state or tag"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value.trim())}
        />
        <button type="button" class="button" aria-expanded={choosing} onClick={() => setChoosing(!choosing)}>
          Columns
        </button>
      </div>
      {choosing && <ColumnChooser runs={loaded} columns={columns} onColumns={setColumns} />}
      {refusal && (
        <p class="stale" role="status">
          {refusal.message} What you see may be out of date.
        </p>
      )}
      {picked.length > 0 && (
        <BulkBar
          runs={picked}
          onChange={(known) => {
            whole.learn(known);
            searched.learn(known);
          }}
          onClear={() => setChoice(NONE_CHOSEN)}
        />
      )}
      <Scroll label={heading}>
        <table class="runs-table">
          <Heads
            shown={shown}
            sort={sort}
            onSort={(key) => setSort(nextSort(sort, key))}
            all={order.length > 0 && picked.length === order.length}
            some={picked.length > 0}
            onAll={(on) => setChoice({ ids: new Set(on ? order : []), anchor: null })}
          />
          <tbody>
            {runs.map((run) => (
              <Row
                key={run.run_id}
                run={run}
                shown={shown}
                nowMs={nowMs}
                chosen={choice.ids.has(run.run_id)}
                onChoose={(on, range) => setChoice((now) => chosen(now, order, run.run_id, on, range))}
              />
            ))}
          </tbody>
        </table>
      </Scroll>
      {runs.length === 0 && !source.asking && (
        <p class="empty" role="status">
          No run matches “{words}”.
        </p>
      )}
      {list?.next && (
        <p class="older">
          <button type="button" class="button" onClick={source.more}>
            Show older runs
          </button>
          {sort.key !== "created" && (
            <span class="dim">The order is among the {counted(runs.length, "newest run")}, which are here.</span>
          )}
          {sort.key === "created" && !sort.down && (
            <span class="dim">There are older runs than the first of these.</span>
          )}
        </p>
      )}
    </div>
  );
}

interface Shown {
  readonly facts: readonly Fact[];
  readonly values: readonly ValueColumn[];
  readonly curve: string | null;
}

/** Facts that stand before the values; the others stand behind them. */
const LEADING: readonly Fact[] = ["state", "project", "group", "tags", "created"];
const TRAILING: readonly Fact[] = ["points", "expires"];

interface HeadsProps {
  readonly shown: Shown;
  readonly sort: Sort;
  readonly onSort: (key: SortKey) => void;
  readonly all: boolean;
  readonly some: boolean;
  readonly onAll: (on: boolean) => void;
}

function Heads({ shown, sort, onSort, all, some, onAll }: HeadsProps) {
  const head = (key: SortKey, label: string, kind = "", title = `Sort by ${label}`) => (
    <th
      key={key}
      scope="col"
      class={kind}
      aria-sort={sort.key === key ? (sort.down ? "descending" : "ascending") : "none"}
    >
      <button type="button" onClick={() => onSort(key)} title={title}>
        {label}
      </button>
    </th>
  );
  const facts = (among: readonly Fact[]) =>
    among
      .filter((fact) => shown.facts.includes(fact))
      .map((fact) => head(fact, FACT_LABELS[fact], fact === "points" ? "number" : fact === "project" ? "roomy" : ""));
  return (
    <thead>
      <tr>
        <th scope="col" class="pick">
          <input
            type="checkbox"
            aria-label="Choose all runs that are shown"
            checked={all}
            indeterminate={some && !all}
            onChange={(event) => onAll(event.currentTarget.checked)}
          />
        </th>
        {head("name", "run")}
        {facts(LEADING)}
        {shown.curve && (
          <th scope="col" class="spark-head">
            {shown.curve}
          </th>
        )}
        {shown.values.map((column) =>
          head(column, nameOf(column), column.startsWith("summary:") ? "number" : "value", `Sort by ${column}`),
        )}
        {facts(TRAILING)}
      </tr>
    </thead>
  );
}

interface RowProps {
  readonly run: RunInfo;
  readonly shown: Shown;
  readonly nowMs: number;
  readonly chosen: boolean;
  readonly onChoose: (on: boolean, range: boolean) => void;
}

function Row({ run, shown, nowMs, chosen: on, onChoose }: RowProps) {
  const { page } = useShell();
  const fact = (one: Fact) => {
    if (!shown.facts.includes(one)) return null;
    switch (one) {
      case "state":
        return (
          <td key={one}>
            <span class={`state ${run.state}`}>{run.state}</span>
          </td>
        );
      case "project":
        return (
          <td key={one} class="roomy">
            {run.project && (
              <a href={href(page, projectPath({ account: run.account, name: run.project }))}>{run.project}</a>
            )}
          </td>
        );
      case "created":
        return (
          <td key={one}>
            <Ago at={run.created_at} nowMs={nowMs} />
          </td>
        );
      case "tags":
        return (
          <td key={one} class="tags-cell">
            {run.tags.map((tag) => (
              <span key={tag} class="tag">
                {tag}
              </span>
            ))}
          </td>
        );
      case "group":
        return <td key={one}>{run.group ?? "–"}</td>;
      case "points":
        return (
          <td key={one} class="number">
            {count(run.points)}
          </td>
        );
      case "expires":
        return (
          <td key={one}>
            <Expiry run={run} nowMs={nowMs} />
          </td>
        );
    }
  };
  return (
    <tr data-chosen={on || undefined}>
      <td class="pick">
        <input
          type="checkbox"
          aria-label={`Choose ${run.name}`}
          checked={on}
          onClick={(event) => onChoose(event.currentTarget.checked, event.shiftKey)}
          onKeyDown={(event) => walk(event, onChoose)}
        />
      </td>
      <th scope="row">
        <a href={href(page, run.url_path)}>{run.name}</a>
      </th>
      {LEADING.map(fact)}
      {shown.curve && (
        <td>
          <Spark run={run} metric={shown.curve} />
        </td>
      )}
      {shown.values.map((column) => {
        const value = valueIn(run, column);
        return (
          <td
            key={column}
            class={column.startsWith("summary:") ? "number" : "value"}
            title={typeof value === "string" || typeof value === "object" ? shortValue(value) : undefined}
          >
            {shortValue(value)}
          </td>
        );
      })}
      {TRAILING.map(fact)}
    </tr>
  );
}

/** Arrow keys lead from box to box; with Shift held, the rows on the way are chosen. */
function walk(event: preact.TargetedKeyboardEvent<HTMLInputElement>, onChoose: RowProps["onChoose"]): void {
  const by = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" } as const;
  const way = by[event.key as keyof typeof by];
  if (event.key === " " && event.shiftKey) {
    event.preventDefault();
    onChoose(true, true);
  }
  if (!way) return;
  const row = event.currentTarget.closest("tr")?.[way];
  const box = row?.querySelector<HTMLInputElement>(".pick input");
  if (!box) return;
  event.preventDefault();
  if (event.shiftKey) {
    if (!event.currentTarget.checked) onChoose(true, false);
    if (!box.checked) box.click();
  }
  box.focus();
}

function Expiry({ run, nowMs }: { readonly run: RunInfo; readonly nowMs: number }) {
  if (run.expires_at === null) return <span class="dim">for good</span>;
  const left = (Date.parse(run.expires_at) - nowMs) / 1000;
  return (
    <time
      dateTime={run.expires_at}
      title={`Anonymous: kept until ${exactTime(run.expires_at)}`}
      class={left < DAY_S ? "soon" : ""}
    >
      {formatCountdown(left)} left
    </time>
  );
}

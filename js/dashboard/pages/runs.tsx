/** The table of runs: dense, sortable, filtered as one types, and fresh while it is looked at. */

import { useMemo, useState } from "preact/hooks";
import type { RunInfo } from "../../api";
import { formatCountdown } from "../../charts/format";
import { count, counted, exactTime, shortValue } from "../format";
import { type Kept, takeKept } from "../kept";
import { href } from "../page";
import { useShell } from "../parts/context";
import { Failed, Loading } from "../parts/loading";
import { Scroll } from "../parts/scroll";
import { Spark } from "../parts/spark";
import { Ago, Exact, useNow } from "../parts/time";
import { useRuns } from "../parts/use_runs";
import { matches, NEWEST_FIRST, nextSort, type Sort, type SortKey, sorted, summaryColumns } from "../runs_table";

const SUMMARY_COLUMNS = 4;
const DAY_S = 86_400;

export function RunsPage() {
  const { list, refusal, refresh, more } = useRuns();
  const [kept] = useState<Kept | null>(() => takeKept(sessionStorage, null));
  const [words, setWords] = useState("");
  const [sort, setSort] = useState<Sort>(NEWEST_FIRST);
  const nowMs = useNow(10_000);
  const runs = useMemo(
    () =>
      sorted(
        (list?.runs ?? []).filter((run) => matches(run, words)),
        sort,
      ),
    [list, words, sort],
  );
  const columns = useMemo(() => summaryColumns(list?.runs ?? [], SUMMARY_COLUMNS), [list]);

  if (!list) {
    return refusal ? <Failed refusal={refusal} onRetry={refresh} /> : <Loading what="Reading your runs…" />;
  }
  if (list.runs.length === 0) return <NoRuns />;
  return (
    <section class="runs">
      {kept && (
        <p class="kept" role="status">
          Kept {counted(kept.runIds.length, "run")} in <b>{kept.account}</b>.
        </p>
      )}
      <AnonymousNote runs={list.runs} nowMs={nowMs} />
      <div class="title">
        <h1>Runs</h1>
        <span class="dim num">
          {words ? `${runs.length} of ${list.runs.length}` : list.runs.length}
          {list.next ? "+" : ""}
        </span>
        <input
          type="search"
          placeholder="filter runs"
          aria-label="Filter runs by name, project, state or tag"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value.trim())}
        />
      </div>
      {refusal && (
        <p class="stale" role="status">
          {refusal.message} What you see may be out of date.
        </p>
      )}
      <Scroll label="Runs">
        <table class="runs-table">
          <Heads columns={columns} sort={sort} onSort={(key) => setSort(nextSort(sort, key))} />
          <tbody>
            {runs.map((run) => (
              <Row key={run.run_id} run={run} columns={columns} nowMs={nowMs} />
            ))}
          </tbody>
        </table>
      </Scroll>
      {runs.length === 0 && (
        <p class="empty" role="status">
          No run matches “{words}”.
        </p>
      )}
      {list.next && (
        <button type="button" class="button" onClick={more}>
          Show older runs
        </button>
      )}
    </section>
  );
}

/** The banner of the table: what is deleted next, and how not to lose it. */
function AnonymousNote({ runs, nowMs }: { readonly runs: readonly RunInfo[]; readonly nowMs: number }) {
  const { page } = useShell();
  const [next] = sorted(runs, { key: "expires", down: false });
  if (!next?.expires_at) return null;
  const left = (Date.parse(next.expires_at) - nowMs) / 1000;
  const many = runs.filter((run) => run.anonymous).length > 1;
  return (
    <section class={left < DAY_S ? "anr-banner last" : "anr-banner"} aria-label="Anonymous runs">
      <p>
        <b>{many ? "Anonymous runs." : "Anonymous run."}</b> <a href={href(page, next.url_path)}>{next.name}</a> is{" "}
        {many && "the next to end: it is "}kept until{" "}
        <b>
          <Exact at={next.expires_at} />
        </b>{" "}
        <span class="num">({formatCountdown(left)})</span>, then deleted unless it is claimed. Open a run to claim it.
      </p>
    </section>
  );
}

interface HeadsProps {
  readonly columns: readonly string[];
  readonly sort: Sort;
  readonly onSort: (key: SortKey) => void;
}

function Heads({ columns, sort, onSort }: HeadsProps) {
  const head = (key: SortKey, label: string, kind = "") => (
    <th
      key={key}
      scope="col"
      class={kind}
      aria-sort={sort.key === key ? (sort.down ? "descending" : "ascending") : "none"}
    >
      <button type="button" onClick={() => onSort(key)} title={`Sort by ${label}`}>
        {label}
      </button>
    </th>
  );
  return (
    <thead>
      <tr>
        {head("name", "run")}
        {head("state", "state")}
        {head("project", "project", "roomy")}
        {head("created", "created")}
        {columns[0] && (
          <th scope="col" class="spark-head">
            {columns[0]}
          </th>
        )}
        {columns.map((name) => head(`summary:${name}`, name, "number"))}
        {head("points", "points", "number")}
        {head("expires", "kept")}
      </tr>
    </thead>
  );
}

interface RowProps {
  readonly run: RunInfo;
  readonly columns: readonly string[];
  readonly nowMs: number;
}

function Row({ run, columns, nowMs }: RowProps) {
  const { page } = useShell();
  return (
    <tr>
      <th scope="row">
        <a href={href(page, run.url_path)}>{run.name}</a>
      </th>
      <td>
        <span class={`state ${run.state}`}>{run.state}</span>
      </td>
      <td class="roomy">{run.project}</td>
      <td>
        <Ago at={run.created_at} nowMs={nowMs} />
      </td>
      {columns[0] && (
        <td>
          <Spark run={run} metric={columns[0]} />
        </td>
      )}
      {columns.map((name) => (
        <td key={name} class="number">
          {shortValue(run.summary[name])}
        </td>
      ))}
      <td class="number">{count(run.points)}</td>
      <td>
        <Expiry run={run} nowMs={nowMs} />
      </td>
    </tr>
  );
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

function NoRuns() {
  const { page } = useShell();
  return (
    <article class="notice">
      <h1>No runs yet</h1>
      <p>
        In a notebook: <code>%load_ext anonrun</code>, then <code>%anonrun</code>. In a script:
      </p>
      <pre>{'import anonrun\n\nrun = anonrun.init(project="first-steps")\nrun.log({"loss": 0.42})\nrun.finish()'}</pre>
      <p class="dim">
        They show up here by themselves.
        {page.embedded ? "" : " To log to this account, run anonrun login first."}
      </p>
    </article>
  );
}

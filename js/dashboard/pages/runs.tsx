/** The home of an account, or of a browser that was let in to some runs: what is deleted next, and the table of runs. */

import { useState } from "preact/hooks";
import type { RunInfo } from "../../api";
import { formatCountdown } from "../../charts/format";
import { counted } from "../format";
import { type Kept, takeKept } from "../kept";
import { href } from "../page";
import { useShell } from "../parts/context";
import { Failed, Loading } from "../parts/loading";
import { Projects } from "../parts/projects";
import { RunsTable } from "../parts/runs_table";
import { Exact, useNow } from "../parts/time";
import { useRuns } from "../parts/use_runs";
import { sorted } from "../runs_table";

const DAY_S = 86_400;
const EVERYTHING = {};

export function RunsPage() {
  const whole = useRuns(EVERYTHING);
  const [kept] = useState<Kept | null>(() => takeKept(sessionStorage, null));
  const { list, refusal, refresh } = whole;

  if (!list) {
    return refusal ? <Failed refusal={refusal} onRetry={refresh} /> : <Loading what="Reading your runs…" />;
  }
  if (list.runs.length === 0) return <NoRuns />;
  return (
    <>
      {kept && (
        <p class="kept" role="status">
          Kept {counted(kept.runIds.length, "run")} in <b>{kept.account}</b>.
        </p>
      )}
      <AnonymousNote runs={list.runs} />
      <Projects />
      <RunsTable heading="Runs" scope={EVERYTHING} whole={whole} />
    </>
  );
}

/** The banner of the table: what is deleted next, and how not to lose it. */
function AnonymousNote({ runs }: { readonly runs: readonly RunInfo[] }) {
  const { page } = useShell();
  const nowMs = useNow(10_000);
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

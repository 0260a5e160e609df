/** Several runs beside each other: their charts in one another, and where config and summary differ. */
import { useEffect, useState } from "preact/hooks";
import { useChoices } from "../../charts";
import { comparedIn, comparePath, MOST_COMPARED } from "../compare";
import { counted } from "../format";
import { href } from "../page";
import { Beside } from "../parts/beside";
import { ChartTools, KEPT_CHOICES } from "../parts/charts";
import { useShell } from "../parts/context";
import { Loading } from "../parts/loading";
import { type Drawn, Overlay } from "../parts/overlay";
import { Ago, useNow } from "../parts/time";
import { useFeeds } from "../parts/use_feeds";
import { Notice } from "./notice";

export function ComparePage() {
  const { page } = useShell();
  const [named, setNamed] = useState(() => comparedIn(location.search));
  const ids = named.slice(0, MOST_COMPARED);
  const feeds = useFeeds(ids);
  const [choices, setChoices] = useChoices(KEPT_CHOICES);
  const nowMs = useNow(10_000);
  useEffect(() => {
    history.replaceState(history.state, "", href(page, comparePath(named)));
  }, [page, named]);

  if (named.length === 0) return <NothingNamed />;
  const states = feeds.map((feed, i) => ({ id: ids[i] as string, feed, ...feed.state }));
  const drawn = states.flatMap(({ feed, run, problem }): Drawn[] => (run && !problem ? [{ feed, run }] : []));
  const lost = states.filter(({ problem }) => problem !== null);
  const remove = (gone: readonly string[]) => setNamed(named.filter((id) => !gone.includes(id)));
  const polled = states.filter(({ link }) => link === "again").length;
  const runs = drawn.map(({ run }) => run);
  const [first] = drawn;
  return (
    <article class="run compare">
      <div class="title">
        <h1>Compare</h1>
        <span class="dim num">{counted(runs.length, "run")}</span>
        <span class="grow" />
        <span class="dim">The address of this page names the runs, and lets in nobody who may not see them.</span>
      </div>
      {named.length > MOST_COMPARED && (
        <p class="stale" role="status">
          {named.length} runs are named in the address. The first {MOST_COMPARED} are here: of more lines nobody can
          tell which is which.
        </p>
      )}
      {lost.length > 0 && (
        <p class="stale" role="status">
          {counted(lost.length, "run is", "runs are")} not shown: there is no such run, or it has expired or been
          deleted, or this browser has not been let in to see it.{" "}
          <button type="button" class="quiet" onClick={() => remove(lost.map(({ id }) => id))}>
            Take out of the comparison
          </button>
        </p>
      )}
      {states.some(({ link }) => link === "lost") && (
        <p class="stale" role="status">
          Connection lost, trying again. What you see had arrived before.
        </p>
      )}
      <ul class="compared" aria-label="Runs that are compared">
        {runs.map((run, i) => (
          <li key={run.run_id}>
            <a href={href(page, run.url_path)}>{run.name}</a> <span class={`state ${run.state}`}>{run.state}</span>{" "}
            <span class="dim">
              {run.project && `${run.project} · `}
              <Ago at={run.created_at} nowMs={nowMs} />
            </span>
            <span class="grow" />
            {i > 0 && (
              <button
                type="button"
                class="quiet"
                aria-label={`Put first: ${run.name}`}
                onClick={() => setNamed([run.run_id, ...named.filter((id) => id !== run.run_id)])}
              >
                Put first
              </button>
            )}
            {named.length > 1 && (
              <button
                type="button"
                class="quiet"
                aria-label={`Remove ${run.name}`}
                onClick={() => remove([run.run_id])}
              >
                Remove
              </button>
            )}
          </li>
        ))}
      </ul>
      {polled > 0 && (
        <p class="dim" role="status">
          {counted(polled, "running run is", "running runs are")} read again every ten seconds; the others as they go.
        </p>
      )}
      {!first && lost.length < states.length && <Loading what="Opening the runs…" />}
      {first && (
        <>
          <Beside label="Config" runs={runs} />
          <Beside label="Summary" runs={runs} />
          <section aria-label="Charts">
            <div class="title">
              <h2>Charts</h2>
              <span class="grow" />
              <ChartTools choices={choices} onChoices={setChoices} history={first.feed.history} />
            </div>
            <Overlay drawn={drawn} choices={choices} onChoices={setChoices} />
          </section>
        </>
      )}
    </article>
  );
}

function NothingNamed() {
  return (
    <Notice heading="Nothing to compare yet" actions={[{ label: "Your runs", path: "/" }]}>
      <p>
        Choose up to {MOST_COMPARED} runs in the table by the boxes in front of them, then press <b>Compare</b>. The
        address of that page can be sent to whoever may see the runs.
      </p>
    </Notice>
  );
}

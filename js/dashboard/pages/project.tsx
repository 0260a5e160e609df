/** A project: the charts of its newest runs in one another, and all its runs. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { useChoices } from "../../charts";
import { comparePath } from "../compare";
import { counted } from "../format";
import { href, type ProjectName } from "../page";
import { ChartTools, KEPT_CHOICES } from "../parts/charts";
import { useShell } from "../parts/context";
import { Failed, Loading } from "../parts/loading";
import { type Drawn, Overlay } from "../parts/overlay";
import { RunsTable } from "../parts/runs_table";
import { Tabs } from "../parts/tabs";
import { useFeeds } from "../parts/use_feeds";
import { useRuns } from "../parts/use_runs";
import { Notice } from "./notice";

/** So many colours lie well apart. */
const NEWEST = 5;

export function ProjectPage({ account, name }: ProjectName) {
  const { page } = useShell();
  const scope = useMemo(() => ({ account, project: name }), [account, name]);
  const whole = useRuns(scope);
  const [tab, setTab] = useState("charts");
  const [choices, setChoices] = useChoices(KEPT_CHOICES);
  // Newer runs come when the reader asks: who looks at a chart does not want it exchanged.
  const [drawnIds, setDrawnIds] = useState<readonly string[] | null>(null);
  const { list, refusal, refresh } = whole;
  const newest = list?.runs.slice(0, NEWEST).map(({ run_id }) => run_id) ?? [];
  useEffect(() => {
    if (list && drawnIds === null) setDrawnIds(newest);
  }, [list, drawnIds]);
  useEffect(() => {
    document.title = `${name} · anonrun`;
  }, [name]);
  const there = new Set(list?.runs.map(({ run_id }) => run_id));
  const ids = tab === "charts" ? (drawnIds ?? []).filter((id) => there.has(id)) : [];
  const feeds = useFeeds(ids);

  if (!list) {
    return refusal ? <Failed refusal={refusal} onRetry={refresh} /> : <Loading what="Reading the project…" />;
  }
  if (list.runs.length === 0) return <Empty name={name} />;
  const drawn = feeds.flatMap((feed): Drawn[] => (feed.state.run ? [{ feed, run: feed.state.run }] : []));
  const fresh = newest.filter((id) => !ids.includes(id)).length;
  const [first] = drawn;
  return (
    <article class="run project">
      <header class="run-head">
        <h1>{name}</h1>
        <span class="dim num">
          {account} · {counted(list.runs.length, "run")}
          {list.next && " and more"}
        </span>
      </header>
      <Tabs
        label="Project"
        tabs={TABS}
        chosen={tab}
        onChoose={setTab}
        aside={
          tab === "charts" &&
          first && <ChartTools choices={choices} onChoices={setChoices} history={first.feed.history} />
        }
      >
        {tab === "runs" ? (
          <RunsTable heading="Runs" level={2} scope={scope} whole={whole} />
        ) : (
          <>
            <p class="under-tabs">
              <span class="dim">
                {ids.length > 1 ? `The ${ids.length} newest runs, the latest in front.` : "The newest run."}
              </span>{" "}
              {ids.length > 1 && <a href={href(page, comparePath(ids))}>Compare them</a>}{" "}
              {fresh > 0 && (
                <button type="button" class="quiet" onClick={() => setDrawnIds(newest)}>
                  Show {counted(fresh, "newer run")}
                </button>
              )}
            </p>
            {first ? (
              <Overlay drawn={drawn} choices={choices} onChoices={setChoices} />
            ) : (
              <Loading what="Opening the newest runs…" />
            )}
          </>
        )}
      </Tabs>
    </article>
  );
}

const TABS = [
  { key: "charts", label: "Charts" },
  { key: "runs", label: "Runs" },
];

function Empty({ name }: { readonly name: string }) {
  return (
    <Notice heading={`${name} has no runs any more`} actions={[{ label: "Your runs", path: "/" }]}>
      <p>
        A project is there as long as it has a run. The next run with <code>{`project="${name}"`}</code> begins it anew.
      </p>
    </Notice>
  );
}

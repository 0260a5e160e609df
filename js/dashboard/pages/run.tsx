/** One run: its banner, its head line, and tabs for what it holds; live while it runs. */
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { RunArtifacts, RunInfo } from "../../api";
import { type Choices, groupMetrics, ofTraining, useChoices } from "../../charts";
import { Feed, type FeedState } from "../../charts/feed";
import { enterRun } from "../enter_run";
import type { Secrets } from "../fragment";
import { Refusal } from "../http";
import { type Kept, takeKept } from "../kept";
import { Banner } from "../parts/banner";
import { Charts, ChartTools, KEPT_CHOICES } from "../parts/charts";
import { useShell } from "../parts/context";
import { Confirm } from "../parts/dialog";
import { Files, useArtifacts } from "../parts/files";
import { Loading } from "../parts/loading";
import { MediaPanels, RunLog, type RunMedia, useMedia } from "../parts/media";
import { MetricTable } from "../parts/metric_table";
import { Pairs } from "../parts/pairs";
import { RunHead } from "../parts/run_head";
import { Share } from "../parts/share";
import { type Tab, Tabs } from "../parts/tabs";
import { useNow } from "../parts/time";
import { Notice, RefusalNotice } from "./notice";

export interface RunPageProps {
  readonly runId: string;
  readonly secrets: Secrets;
}

export function RunPage({ runId, secrets }: RunPageProps) {
  const { client, session } = useShell();
  const [entry, setEntry] = useState<{ readonly refusal: Refusal | null } | null>(null);

  useEffect(() => {
    enterRun(session, secrets).then((refusal) => setEntry({ refusal }));
  }, [session, secrets]);
  // A link that is pasted into this tab may let in to what was refused before: the run is asked for anew.
  const feed = useMemo(() => new Feed(client, runId), [client, runId, entry]);
  const state = useFeed(feed, entry !== null);

  if (state.problem) {
    // A link's own refusal says more than the run's: it may tell when the run expired.
    const refusal = entry?.refusal ?? new Refusal(state.problem);
    return <RefusalNotice refusal={refusal} claiming={false} />;
  }
  if (!state.run) {
    return state.link === "lost" ? (
      <Loading what="The server does not answer. Trying again…" />
    ) : (
      <Loading what="Opening the run…" />
    );
  }
  return <Run feed={feed} state={state} run={state.run} />;
}

/** Follow `feed` while the tab is seen. */
export function useFeed(feed: Feed, entered: boolean): FeedState {
  const [state, setState] = useState(feed.state);
  useEffect(() => {
    if (!entered) return;
    const end = feed.subscribe(() => setState(feed.state));
    const look = () => (document.visibilityState === "visible" ? feed.follow() : feed.stop());
    const channel = new BroadcastChannel("anonrun");
    channel.onmessage = look;
    document.addEventListener("visibilitychange", look);
    look();
    return () => {
      end();
      feed.stop();
      channel.close();
      document.removeEventListener("visibilitychange", look);
    };
  }, [feed, entered]);
  return state;
}

type TabKey = "charts" | "system" | "log" | "metrics" | "summary" | "config" | "files" | "share";

interface Has {
  readonly system: boolean;
  readonly log: boolean;
  readonly files: boolean;
}

function tabsOf(run: RunInfo, has: Has): Tab[] {
  const tabs: (Tab & { readonly key: TabKey })[] = [{ key: "charts", label: "Charts" }];
  if (has.system) tabs.push({ key: "system", label: "System" });
  if (has.log) tabs.push({ key: "log", label: "Log" });
  tabs.push(
    { key: "metrics", label: "Metrics" },
    { key: "summary", label: "Summary" },
    { key: "config", label: "Config" },
  );
  if (has.files) tabs.push({ key: "files", label: "Files" });
  if (run.permissions.share) tabs.push({ key: "share", label: "Share" });
  return tabs;
}

interface RunProps {
  readonly feed: Feed;
  readonly state: FeedState;
  readonly run: RunInfo;
}

function Run({ feed, state, run }: RunProps) {
  const { send } = useShell();
  const [tab, setTab] = useState("charts");
  const [choices, setChoices] = useChoices(KEPT_CHOICES);
  const [deleting, setDeleting] = useState(false);
  const [deleted, setDeleted] = useState(false);
  const [kept] = useState<Kept | null>(() => takeKept(sessionStorage, run.run_id));
  const nowMs = useNow(1_000) + state.clockOffsetMs;
  const artifacts = useArtifacts(run);
  const media = useMedia(run);
  useEffect(() => {
    document.title = `${run.name} · anonrun`;
  }, [run.name]);

  const remove = useCallback(async () => {
    feed.stop();
    await send<void>("DELETE", `runs/${run.run_id}`);
    setDeleted(true);
  }, [send, feed, run.run_id]);

  if (deleted) {
    return (
      <Notice heading={`${run.name} is deleted`} actions={[{ label: "Your runs", path: "/" }]}>
        <p>The run, its points and every link to it are gone from this server.</p>
      </Notice>
    );
  }
  const has = {
    system: groupMetrics(feed.history.series.keys()).some(({ section }) => section === "system"),
    log: media?.hasLog ?? false,
    files: artifacts !== null,
  };
  const section = tab === "charts" || tab === "system" ? tab : null;
  return (
    <article class="run">
      <Banner run={run} nowMs={nowMs} onShare={() => setTab("share")} onDelete={() => setDeleting(true)} />
      {kept && (
        <p class="kept" role="status">
          Kept in <b>{kept.account}</b>. Its address stays the same.
        </p>
      )}
      <RunHead run={run} history={feed.history} nowMs={nowMs} onDelete={() => setDeleting(true)} />
      {state.link === "lost" && (
        <p class="stale" role="status">
          Connection lost, trying again. The charts show what had arrived.
        </p>
      )}
      <Tabs
        label="Run"
        tabs={tabsOf(run, has)}
        chosen={tab}
        onChoose={setTab}
        aside={section && <ChartTools {...{ choices, section }} onChoices={setChoices} history={feed.history} />}
      >
        <Panel tab={tab as TabKey} {...{ feed, state, run, choices, artifacts, media }} onChoices={setChoices} />
      </Tabs>
      {deleting && (
        <Confirm
          title={`Delete ${run.name}?`}
          act="Delete"
          busy="Deleting…"
          onAct={remove}
          onClose={() => setDeleting(false)}
        >
          <p>The run and its points are gone at once, for everyone, and cannot be brought back.</p>
          {run.state === "running" && <p>It is still running: what it logs from now on stays on its own machine.</p>}
        </Confirm>
      )}
    </article>
  );
}

interface PanelProps extends RunProps {
  readonly tab: TabKey;
  readonly choices: Choices;
  readonly onChoices: (choices: Choices) => void;
  readonly artifacts: RunArtifacts | null;
  readonly media: RunMedia | null;
}

function Panel({ tab, feed, state, run, choices, onChoices, artifacts, media }: PanelProps) {
  switch (tab) {
    case "metrics":
      return <MetricTable run={run} live={state.link === "live"} />;
    case "summary":
      return (
        <Pairs
          label="summary"
          values={ofTraining(run.summary)}
          empty="No summary yet: it holds the last value of each metric."
        />
      );
    case "config":
      return <Pairs label="config" values={run.config} empty="This run has no config. Pass one: init(config={…})." />;
    case "files":
      return artifacts ? (
        <Files run={run} artifacts={artifacts} />
      ) : (
        <p class="empty">This run has no files any more.</p>
      );
    case "share":
      return <Share run={run} metrics={[...feed.history.series.keys()]} onChange={(changed) => feed.take(changed)} />;
    case "log":
      return media ? <RunLog run={run} media={media} /> : <p class="empty">This run printed nothing yet.</p>;
    default:
      return (
        <>
          <Charts
            history={feed.history}
            runId={run.run_id}
            name={run.name}
            choices={choices}
            onChoices={onChoices}
            section={tab}
            createdAt={run.created_at}
            loaded={state.loaded}
            empty={emptyText(run)}
          />
          {media && tab === "charts" && <MediaPanels {...{ run, media, choices, onChoices }} />}
        </>
      );
  }
}

/** What stands in the place of charts; nothing where media do. */
function emptyText(run: RunInfo): string {
  if (run.state === "running") return "Waiting for the first point…";
  return run.media ? "" : "This run logged nothing.";
}

/**
 * A run in one file: what its page shows, with no server, no kernel and no network.
 *
 * The same is in the file as a picture and tables, for readers without scripts and for paper; what is drawn here
 * takes their place on the screen only.
 */

import "./file.css";
import { render } from "preact";
import { useCallback, useMemo, useState } from "preact/hooks";
import type { Frame } from "../api";
import {
  ChartGrid,
  ChartToolbar,
  type DetailSource,
  formatInstant,
  History,
  inStorage,
  isOfMachine,
  stretchOf,
  useChoices,
  useTheme,
  zoneName,
} from "../charts";
import { flatPairs } from "../dashboard/pairs";
import { type Course, ProgressBar, useStanding } from "../status";
import { framesOf, type Held, heldIn } from "./held";
import { Pairs } from "./pairs";
import { Tabs } from "./tabs";

const WITHOUT_PLOTLY = "This file is small and needs no network, so plotly is not in it.";

function count(n: number): string {
  return n.toLocaleString("en").replaceAll(",", "\u202f");
}

function Head({ held, history }: { held: Held; history: History }) {
  const { run, saved_at } = held;
  const saved = new Date(saved_at);
  const course: Course = { ...run, state: run.state === "running" ? "unknown" : run.state };
  const { facts, share, reason } = useStanding(course, history, saved.getTime());
  const points =
    held.points === held.held_points
      ? `${count(held.points)} points, every one`
      : `${count(held.held_points)} of ${count(held.points)} points: of each stretch the smallest and the largest`;
  const words = [...facts, points].join(" · ");
  return (
    <header>
      <h1>{run.name}</h1>
      <span class="anr-state" data-state={course.state}>
        {course.state === "unknown" ? "running when this was saved" : course.state}
      </span>
      <span class="anr-dim anr-num">{words}</span>
      {share && <ProgressBar share={share} state={course.state} words={words} />}
      {reason && <p class="anr-reason">{reason}</p>}
      <p class="anr-dim anr-where">
        {[run.project, run.id].filter(Boolean).join(" / ")}
        {run.tags?.map((tag) => (
          <span key={tag} class="anr-tag">
            {tag}
          </span>
        ))}
      </p>
      <p class="anr-dim">
        Begun{" "}
        <time dateTime={run.created_at} title={zoneName(new Date(run.created_at))}>
          {formatInstant(new Date(run.created_at))}
        </time>
        , saved to this file{" "}
        <time dateTime={saved_at} title={zoneName(saved)}>
          {formatInstant(saved)}
        </time>{" "}
        ({zoneName(saved)})
      </p>
      {run.notes && <p class="anr-notes">{run.notes}</p>}
    </header>
  );
}

function App({ held, frames }: { held: Held; frames: readonly Frame[] }) {
  const { run } = held;
  const theme = useTheme();
  const history = useMemo(() => {
    const made = new History();
    made.append(frames);
    return made;
  }, [frames]);
  const detail: DetailSource = useCallback(async (query) => stretchOf(frames, query), [frames]);
  const allPoints = useCallback(async () => frames, [frames]);
  const keeper = useMemo(() => inStorage(() => sessionStorage, `anonrun.file.${run.run_id}`), [run.run_id]);
  const [choices, setChoices] = useChoices(keeper);
  const [tab, setTab] = useState("charts");
  const names = [...history.series.keys()];
  const tabs = [
    { key: "charts", label: "Charts" },
    ...(names.some(isOfMachine) ? [{ key: "system", label: "System" }] : []),
    { key: "summary", label: "Summary" },
    { key: "config", label: "Config" },
  ];
  const section = tab === "charts" || tab === "system" ? tab : null;
  return (
    <div class="anr anr-file" data-theme={theme}>
      <Head held={held} history={history} />
      <Tabs
        {...{ tabs, tab }}
        onTab={setTab}
        aside={section && <ChartToolbar {...{ choices, section }} onChoices={setChoices} metrics={names} />}
      >
        {section ? (
          <ChartGrid
            key={tab}
            history={history}
            choices={choices}
            onChoices={setChoices}
            name={run.name}
            section={section}
            start={Date.parse(run.created_at) / 1000}
            theme={theme}
            loadPlotly={() => Promise.reject(new Error(WITHOUT_PLOTLY))}
            empty="This run logged nothing."
            detail={detail}
            allPoints={allPoints}
          />
        ) : (
          <Pairs label={tab} values={flatPairs((tab === "summary" ? run.summary : run.config) ?? {})} />
        )}
      </Tabs>
    </div>
  );
}

async function begin(): Promise<void> {
  const held = heldIn(document);
  const frames = await framesOf(held);
  const root = document.getElementById("live") as HTMLElement;
  render(<App held={held} frames={frames} />, root);
  document.body.dataset.drawn = "true";
}

// The picture and the tables stay where this goes wrong.
begin().catch((error: unknown) => console.error("anonrun: this file could not be drawn.", error));

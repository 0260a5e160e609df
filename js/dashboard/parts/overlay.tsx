/** The charts of several runs in each other: the first one's, with the others behind. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RunInfo } from "../../api";
import { ChartGrid, type Choices, useTheme } from "../../charts";
import type { Feed } from "../../charts/feed";
import type { OtherRun } from "../../charts/runs";
import { toldApart } from "../beside";
import { counted } from "../format";
import { loadPlotly } from "./charts";
import { useShell } from "./context";
import { Loading } from "./loading";

/** Other runs are drawn anew at most so often. */
const BEHIND_MS = 1_000;

export interface Drawn {
  readonly feed: Feed;
  readonly run: RunInfo;
}

/** The lowest places that nobody has, for whoever has none: a run keeps its colour while it is shown. */
function useSlots(ids: readonly string[]): ReadonlyMap<string, number> {
  const slots = useRef(new Map<string, number>());
  for (const id of [...slots.current.keys()]) if (!ids.includes(id)) slots.current.delete(id);
  for (const id of ids) {
    if (slots.current.has(id)) continue;
    const taken = new Set(slots.current.values());
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    slots.current.set(id, slot);
  }
  return slots.current;
}

/** A number that grows when a history has changed, at most once in `BEHIND_MS`. */
function useVersions(drawn: readonly Drawn[]): number {
  const sum = () => drawn.reduce((total, { feed }) => total + feed.history.version, 0);
  const [version, setVersion] = useState(sum);
  useEffect(() => {
    setVersion(sum());
    const timer = setInterval(() => setVersion(sum()), BEHIND_MS);
    return () => clearInterval(timer);
  }, [drawn.map(({ run }) => run.run_id).join()]);
  return version;
}

export interface OverlayProps {
  /** At least one; the first is the one whose charts these are. */
  readonly drawn: readonly Drawn[];
  readonly choices: Choices;
  readonly onChoices: (choices: Choices) => void;
}

export function Overlay({ drawn, choices, onChoices }: OverlayProps) {
  const { page } = useShell();
  const theme = useTheme();
  const [own, ...behind] = drawn;
  const slots = useSlots(drawn.map(({ run }) => run.run_id));
  const names = toldApart(drawn.map(({ run }) => run));
  const version = useVersions(behind);
  const loaded = behind.filter(({ feed }) => feed.state.loaded);
  const others = useMemo(
    () =>
      behind.map(({ feed, run }, i): OtherRun => {
        const slot = slots.get(run.run_id) ?? 0;
        const name = names[i + 1] as string;
        const start = Date.parse(run.created_at) / 1000;
        return { key: run.run_id, kind: "run", name, slot, start, history: feed.history };
      }),
    [version, names.join("\n"), behind.map(({ run }) => run.run_id).join(), loaded.length],
  );
  if (!own?.feed.state.loaded) return <Loading what="Reading the points…" />;
  const charted = new Set(own.feed.history.series.keys());
  const missed = new Set(behind.flatMap(({ feed }) => [...feed.history.series.keys()].filter((m) => !charted.has(m))));
  const name = names[0] as string;
  return (
    <div class="anr" data-theme={theme}>
      <ChartGrid
        history={own.feed.history}
        choices={choices}
        onChoices={onChoices}
        name={name}
        start={Date.parse(own.run.created_at) / 1000}
        theme={theme}
        loadPlotly={() => loadPlotly(page)}
        empty={own.run.state === "running" ? "Waiting for the first point…" : `${name} logged nothing.`}
        others={others}
      />
      {missed.size > 0 && (
        <p class="dim missed">
          {counted(missed.size, "metric")} that {name} does not have {missed.size === 1 ? "has" : "have"} no chart here.
        </p>
      )}
    </div>
  );
}

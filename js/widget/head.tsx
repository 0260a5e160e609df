/** One line that says which run this is and how far it is. */

import type { RunState } from "../api";
import { formatClock, formatValue } from "../charts";
import { progressOf } from "./pace";
import type { ViewState } from "./run_view";

function elapsedS({ run, status }: ViewState, now: number): number | null {
  const start = Date.parse(run.created_at ?? "");
  if (Number.isNaN(start)) return null;
  const state = status.state ?? run.state;
  const end = state === "crashed" ? run.heartbeat_at : run.finished_at;
  if (state === "running" || !end) return (now - start) / 1000;
  return (Date.parse(end) - start) / 1000;
}

export function Head({ state, now }: { state: ViewState; now: number }) {
  const known: RunState = state.status.state ?? state.run.state ?? "running";
  // Nobody vouches for it any more.
  const shown = known === "running" && state.source === "nobody" ? "unknown" : known;
  const progress = progressOf(state.history.series.values());
  const elapsed = elapsedS(state, now);
  const ended = known !== "running" && !state.run.finished_at && !state.run.heartbeat_at;
  const facts = [
    elapsed !== null && !ended && shown !== "unknown" && formatClock(elapsed),
    progress && `step ${formatValue(progress.step, 15)}`,
    progress?.perSecond && shown === "running" && `${formatValue(progress.perSecond, 2)} steps/s`,
  ];
  return (
    <div class="anr-head">
      <h3 title={state.run.name}>{state.run.name}</h3>
      <span class="anr-state" data-state={shown}>
        {shown === "unknown" ? "last seen running" : shown}
      </span>
      <span class="anr-dim anr-num">{facts.filter(Boolean).join(" · ")}</span>
      {state.run.project && <span class="anr-dim anr-project">{state.run.project}</span>}
    </div>
  );
}

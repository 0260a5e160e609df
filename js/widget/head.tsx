/** Which run this is, how far it is, and how it ended. */

import { type Course, ProgressBar, type StateWord, useStanding } from "../status";
import type { ViewState } from "./run_view";

const WORDS: Partial<Record<StateWord, string>> = { unknown: "last seen running" };

function courseOf({ run, status, source }: ViewState): Course {
  const state = status.state ?? run.state ?? "running";
  // Nobody vouches for it any more.
  return { ...run, state: state === "running" && source === "nobody" ? "unknown" : state, failure: status.failure };
}

export function Head({ state, now }: { state: ViewState; now: number }) {
  const course = courseOf(state);
  const { facts, share, reason } = useStanding(course, state.history, now);
  const words = facts.join(" · ");
  return (
    <div class="anr-head">
      <h3 title={state.run.name}>{state.run.name}</h3>
      <span class="anr-state" role="status" data-state={course.state}>
        {WORDS[course.state] ?? course.state}
      </span>
      <span class="anr-dim anr-num">{words}</span>
      {state.run.project && <span class="anr-dim anr-project">{state.run.project}</span>}
      {share && <ProgressBar share={share} state={course.state} words={words} />}
      {reason && (
        <p class="anr-reason" role="status">
          {reason}
        </p>
      )}
    </div>
  );
}

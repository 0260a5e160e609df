/** A run's state in words and as a bar; the widget, the run's page and its file say it alike. */

import { useRef } from "preact/hooks";
import { formatClock, formatInstant, type History } from "../charts";
import { type Pace, paceOf } from "./pace";
import { leftS, leftText, paceText, type Share, shareOf, silenceText, steadied, stepText } from "./progress";

export type StateWord = "running" | "finished" | "failed" | "crashed" | "unknown";

/** What is known of a run's course, by whoever tells it. */
export interface Course {
  readonly state: StateWord;
  readonly created_at?: string | undefined;
  readonly finished_at?: string | null | undefined;
  readonly heartbeat_at?: string | null | undefined;
  readonly exit_code?: number | null | undefined;
  readonly total?: number | null | undefined;
  /** Type of the exception that ended it. */
  readonly error?: string | null | undefined;
  /** The exception with its text, which only the notebook has. */
  readonly failure?: string | null | undefined;
}

export interface Standing {
  /** `00:42`, `step 41 of 100 (42 %)`, `6.6 steps/s`, `about 9 s left`. */
  readonly facts: readonly string[];
  readonly share: Share | null;
  /** Why it stopped, or did so for now; empty where nothing is known of that. */
  readonly reason: string;
}

/** Seconds from the run's beginning to its end, or to `nowMs`; null where neither is known. */
export function elapsedS(course: Course, nowMs: number): number | null {
  const start = Date.parse(course.created_at ?? "");
  if (Number.isNaN(start) || course.state === "unknown") return null;
  const end = course.state === "crashed" ? course.heartbeat_at : course.finished_at;
  const endMs = course.state === "running" ? nowMs : Date.parse(end ?? "");
  return Number.isNaN(endMs) ? null : (endMs - start) / 1000;
}

/** Why a run stopped. */
export function reasonOf({ state, failure, error, exit_code, heartbeat_at }: Course): string {
  if (state === "crashed") {
    const heard = Date.parse(heartbeat_at ?? "");
    const when = Number.isNaN(heard) ? "" : ` since ${formatInstant(new Date(heard))}`;
    return `Its process has not been heard${when}: it was killed, or lost its connection.`;
  }
  if (failure) return state === "running" ? `Last error: ${failure}` : failure;
  if (state !== "failed") return "";
  if (error) return error;
  return exit_code ? `It ended with exit code ${exit_code}.` : "";
}

/** Nobody looked for so long: the page was hidden, and what came meanwhile comes now. */
const AWAY_MS = 5_000;

/** For how many seconds the last row has been the last, as far as this page has seen. */
function useSilence(at: number | undefined): number {
  const seen = useRef({ at, sinceMs: 0, lookedMs: 0 });
  const nowMs = Date.now();
  const { at: before, sinceMs, lookedMs } = seen.current;
  const anew = at !== before || nowMs - lookedMs > AWAY_MS;
  seen.current = { at, sinceMs: anew ? nowMs : sinceMs, lookedMs: nowMs };
  return (nowMs - seen.current.sinceMs) / 1000;
}

/** Words and numbers of a run's course now; call it once a second while it goes on. */
export function useStanding(course: Course, history: History, nowMs: number): Standing {
  const shownS = useRef<number | null>(null);
  const known = useRef<{ version: number; history: History; pace: Pace | null } | null>(null);
  if (known.current?.version !== history.version || known.current.history !== history) {
    known.current = { version: history.version, history, pace: paceOf(history.series.values()) };
  }
  const { pace } = known.current;
  const { state, total } = course;
  const going = state === "running";
  const silentS = useSilence(pace?.at);
  const silence = going && pace ? silenceText(silentS, pace.perSecond) : null;
  const left = going && !silence ? leftS(pace, total) : null;
  shownS.current = left === null ? null : steadied(shownS.current, left);
  const elapsed = elapsedS(course, nowMs);
  const facts = [
    elapsed !== null && formatClock(elapsed),
    pace && stepText(pace, total),
    going && (silence ?? (pace?.perSecond && paceText(pace.perSecond))),
    shownS.current !== null && leftText(shownS.current),
  ];
  return {
    facts: facts.filter((fact): fact is string => Boolean(fact)),
    share: shareOf(pace, total),
    reason: reasonOf(course),
  };
}

/** How much of the total is done; a screen reader hears it with the words beside it. */
export function ProgressBar({ share, state, words }: { share: Share; state: StateWord; words: string }) {
  return (
    <div
      class="anr-progress"
      role="progressbar"
      aria-label="Steps"
      aria-valuemin={0}
      aria-valuemax={share.total}
      aria-valuenow={share.done}
      aria-valuetext={words}
      data-state={state}
    >
      <div style={{ width: `${100 * share.part}%` }} />
    </div>
  );
}

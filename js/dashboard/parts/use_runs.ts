/** Runs as the server lists them: the newest page, fresh while it is looked at, and older ones on demand. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { RunInfo, RunList } from "../../api";
import { asRefusal, type Refusal } from "../http";
import { useShell } from "./context";

const PAGE_RUNS = 100;

/** Which of the runs within reach. */
export interface RunQuery {
  readonly account?: string;
  readonly project?: string;
  readonly words?: string;
}

interface Listed {
  /** What was asked for; another question's answer is not shown as this one's. */
  readonly query: string;
  readonly runs: readonly RunInfo[];
  readonly next: string | null;
}

export interface Runs {
  readonly list: Listed | null;
  readonly refusal: Refusal | null;
  /** Whether an answer to what is asked now is still on its way. */
  readonly asking: boolean;
  readonly refresh: () => Promise<void>;
  readonly more: () => Promise<void>;
  /** Take in what was learned of single runs elsewhere: as they are now, or null for those that are gone. */
  readonly learn: (runs: ReadonlyMap<string, RunInfo | null>) => void;
}

function pathOf(query: RunQuery): string {
  const asked = new URLSearchParams({ limit: String(PAGE_RUNS) });
  for (const [name, value] of Object.entries(query)) if (value) asked.set(name, value);
  return `runs?${asked}`;
}

/** Return the pages that are held with a fresh first one. */
function refreshed(old: Listed, fresh: Listed): Listed {
  if (old.query !== fresh.query || old.runs.length <= PAGE_RUNS) return fresh;
  const last = fresh.runs.at(-1);
  const older = last ? old.runs.filter((run) => run.created_at < last.created_at) : [];
  return { query: fresh.query, runs: [...fresh.runs, ...older], next: fresh.next && old.next };
}

/** The newest page is asked for again whenever there is news of runs; null asks for nothing. */
export function useRuns(query: RunQuery | null): Runs {
  const { send, news } = useShell();
  const [held, setHeld] = useState<Listed | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const path = query && pathOf(query);
  const asked = useRef(path);
  asked.current = path;

  const refresh = useCallback(async () => {
    if (path === null) return;
    try {
      const fresh = { query: path, ...(await send<RunList>("GET", path)) };
      if (asked.current !== path) return;
      setRefusal(null);
      setHeld((old) => (old ? refreshed(old, fresh) : fresh));
    } catch (reason) {
      if (asked.current === path) setRefusal(asRefusal(reason));
    }
  }, [send, path]);

  const more = useCallback(async () => {
    if (!held?.next || held.query !== path) return;
    try {
      const page = await send<RunList>("GET", `${path}&after=${encodeURIComponent(held.next)}`);
      setHeld((now) => {
        // Meanwhile the same page may have come by a second click, or another question been asked.
        if (now?.query !== path || now.next !== held.next) return now;
        return { query: path, runs: [...now.runs, ...page.runs], next: page.next };
      });
    } catch (reason) {
      setRefusal(asRefusal(reason));
    }
  }, [send, path, held]);

  const learn = useCallback((runs: ReadonlyMap<string, RunInfo | null>) => {
    setHeld(
      (now) =>
        now && {
          ...now,
          runs: now.runs.flatMap((run) => {
            const known = runs.get(run.run_id);
            return known === null ? [] : [known ?? run];
          }),
        },
    );
  }, []);

  useEffect(() => {
    if (path === null) return;
    void refresh();
    return news.subscribe(() => void refresh());
  }, [news, path, refresh]);

  const current = held?.query === path;
  return { list: current ? held : null, refusal, asking: path !== null && !current && !refusal, refresh, more, learn };
}

/** `value`, once it has stayed the same for a moment. */
export function useSettled<T>(value: T, afterMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), afterMs);
    return () => clearTimeout(timer);
  }, [value, afterMs]);
  return settled;
}

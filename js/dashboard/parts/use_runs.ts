/** The runs of this browser: the newest page, fresh while it is looked at, and older ones on demand. */
import { useCallback, useEffect, useState } from "preact/hooks";
import type { RunInfo, RunList } from "../../api";
import { asRefusal, type Refusal } from "../http";
import { useShell } from "./context";

const PAGE_RUNS = 100;
const REFRESH_MS = 5_000;

interface Listed {
  readonly runs: readonly RunInfo[];
  readonly next: string | null;
}

/** The newest page is asked for again every few seconds while the tab is seen; older pages are added by `more`. */
export function useRuns() {
  const { send } = useShell();
  const [list, setList] = useState<Listed | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);

  const refresh = useCallback(async () => {
    try {
      const fresh = await send<RunList>("GET", `runs?limit=${PAGE_RUNS}`);
      setRefusal(null);
      setList((old) => {
        if (!old || old.runs.length <= PAGE_RUNS) return fresh;
        const last = fresh.runs.at(-1);
        const older = last ? old.runs.filter((run) => run.created_at < last.created_at) : [];
        return { runs: [...fresh.runs, ...older], next: old.next };
      });
    } catch (reason) {
      setRefusal(asRefusal(reason));
    }
  }, [send]);

  const more = useCallback(async () => {
    if (!list?.next) return;
    try {
      const page = await send<RunList>("GET", `runs?limit=${PAGE_RUNS}&after=${encodeURIComponent(list.next)}`);
      setList({ runs: [...list.runs, ...page.runs], next: page.next });
    } catch (reason) {
      setRefusal(asRefusal(reason));
    }
  }, [send, list]);

  useEffect(() => {
    refresh();
    const timer = setInterval(() => document.visibilityState === "visible" && refresh(), REFRESH_MS);
    const onVisible = () => document.visibilityState === "visible" && refresh();
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [refresh]);

  return { list, refusal, refresh, more };
}

/** The shape of one series, a line high: asked for when its row comes into view, and again when points were added. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { RunInfo } from "../../api";
import { Sparkline } from "../../charts";
import { useShell } from "./context";

const BUCKETS = 48;

export function Spark({ run, metric }: { readonly run: RunInfo; readonly metric: string }) {
  const { client } = useShell();
  const box = useRef<HTMLSpanElement>(null);
  const [seen, setSeen] = useState(false);
  const [values, setValues] = useState<readonly number[]>([]);

  useEffect(() => {
    const watcher = new IntersectionObserver((entries) => setSeen(entries.some((entry) => entry.isIntersecting)));
    if (box.current) watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);

  const there = metric in run.summary;
  // run.points is among the reasons to ask again: there is more to draw.
  useEffect(() => {
    if (!seen || !there) return;
    const gone = new AbortController();
    client.sampled(run.run_id, { metrics: [metric], points: BUCKETS }, gone.signal).then((answer) => {
      // A row without its little curve is still right; the run's own page says what is wrong.
      if (answer.ok && !gone.signal.aborted) setValues((answer.value.metrics[metric]?.last ?? []).map(Number));
    });
    return () => gone.abort();
  }, [client, seen, there, run.run_id, run.points, metric]);

  return (
    <span ref={box} class="spark">
      {values.length > 0 && <Sparkline values={values} label={`${metric} over time`} width={96} height={18} />}
    </span>
  );
}

/** The shape of one series, a line high: asked for when its row comes into view, and again when points were added. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { RunInfo, SampledSeries } from "../../api";
import { sparkPath } from "../runs_table";
import { useShell } from "./context";

const WIDTH = 96;
const HEIGHT = 20;
const BUCKETS = 48;

export function Spark({ run, metric }: { readonly run: RunInfo; readonly metric: string }) {
  const { send } = useShell();
  const box = useRef<HTMLSpanElement>(null);
  const [seen, setSeen] = useState(false);
  const [path, setPath] = useState<string | null>(null);

  useEffect(() => {
    const watcher = new IntersectionObserver((entries) => setSeen(entries.some((entry) => entry.isIntersecting)));
    if (box.current) watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);

  const there = metric in run.summary;
  // run.points is among the reasons to ask again: there is more to draw.
  useEffect(() => {
    if (!seen || !there) return;
    let current = true;
    send<SampledSeries>(
      "GET",
      `runs/${run.run_id}/sampled?points=${BUCKETS}&metric=${encodeURIComponent(metric)}`,
    ).then(
      ({ metrics }) => {
        if (current) setPath(sparkPath((metrics[metric]?.last ?? []).map(Number), WIDTH, HEIGHT));
      },
      // A row without its little curve is still right; the run's own page says what is wrong.
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [send, seen, there, run.run_id, run.points, metric]);

  return (
    <span ref={box} class="spark">
      {path && (
        <svg viewBox={`-2 -2 ${WIDTH + 4} ${HEIGHT + 4}`} role="img" aria-label={`${metric} over time`}>
          <path d={path} />
        </svg>
      )}
    </span>
  );
}

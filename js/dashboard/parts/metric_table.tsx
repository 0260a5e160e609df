/** Every metric of a run in figures: last, smallest, largest, and how many. */

import { useCallback, useEffect, useState } from "preact/hooks";
import type { MetricInfo, RunInfo } from "../../api";
import { formatValue } from "../../charts/format";
import { count } from "../format";
import { answerOf, asRefusal, type Refusal } from "../http";
import { useShell } from "./context";
import { Failed, Loading } from "./loading";
import { Scroll } from "./scroll";

const REFRESH_MS = 3_000;

export interface MetricTableProps {
  readonly run: RunInfo;
  readonly live: boolean;
}

const figure = (value: MetricInfo["min"]) => (value === null ? "–" : formatValue(Number(value), 6));

export function MetricTable({ run, live }: MetricTableProps) {
  const { client } = useShell();
  const [metrics, setMetrics] = useState<readonly MetricInfo[] | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const load = useCallback(() => {
    answerOf(client.metrics(run.run_id)).then(
      (fresh) => {
        setMetrics(fresh);
        setRefusal(null);
      },
      (reason) => setRefusal(asRefusal(reason)),
    );
  }, [client, run.run_id]);
  useEffect(() => {
    load();
    if (!live) return;
    const timer = setInterval(load, REFRESH_MS);
    return () => clearInterval(timer);
  }, [load, live]);

  if (refusal) return <Failed refusal={refusal} onRetry={load} />;
  if (!metrics) return <Loading what="Reading the metrics…" />;
  if (metrics.length === 0) return <p class="empty">Nothing has been logged yet.</p>;
  return (
    <Scroll label="Metrics">
      <table>
        <thead>
          <tr>
            <th scope="col">metric</th>
            <th scope="col" class="number">
              last
            </th>
            <th scope="col" class="number">
              at step
            </th>
            <th scope="col" class="number">
              min
            </th>
            <th scope="col" class="number">
              max
            </th>
            <th scope="col" class="number">
              points
            </th>
          </tr>
        </thead>
        <tbody>
          {metrics.map((metric) => (
            <tr key={metric.name}>
              <th scope="row">{metric.name}</th>
              <td class="number">{figure(metric.last)}</td>
              <td class="number">{count(metric.last_step)}</td>
              <td class="number">{figure(metric.min)}</td>
              <td class="number">{figure(metric.max)}</td>
              <td class="number">{count(metric.n)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

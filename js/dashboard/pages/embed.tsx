/** One chart of a published run, for a frame on somebody else's page: nothing to press that changes anything. */
import { useMemo, useState } from "preact/hooks";
import { ChartGrid, type ChartSpec, DEFAULT_CHOICES, groupMetrics, useTheme } from "../../charts";
import { Feed } from "../../charts/feed";
import { href } from "../page";
import { loadPlotly } from "../parts/charts";
import { useShell } from "../parts/context";
import { useFeed } from "./run";

/** Return the chart that holds `metric`; the first one where none is named, none where it is not there. */
export function chartOf(metrics: Iterable<string>, metric: string | null): ChartSpec | undefined {
  const charts = groupMetrics(metrics);
  return metric === null ? charts[0] : charts.find(({ series }) => series.some((one) => one.metric === metric));
}

export function EmbedPage({ runId }: { readonly runId: string }) {
  const { client, page } = useShell();
  const theme = useTheme();
  const [choices, setChoices] = useState(DEFAULT_CHOICES);
  const metric = new URLSearchParams(location.search).get("metric");
  const feed = useMemo(() => new Feed(client, runId), [client, runId]);
  const state = useFeed(feed, true);
  const { run, problem } = state;
  if (problem) return <p class="embed-said">This chart is no longer shown here.</p>;
  if (!run || !state.loaded) return <p class="embed-said">Opening the chart…</p>;
  const chart = chartOf(feed.history.series.keys(), metric);
  return (
    <article class="anr embed-chart" data-theme={theme}>
      <h1 class="unseen">{`${run.name}: ${chart?.title ?? "no chart"}`}</h1>
      {chart ? (
        <ChartGrid
          history={feed.history}
          choices={choices}
          onChoices={setChoices}
          only={chart.key}
          name={run.name}
          start={Date.parse(run.created_at) / 1000}
          theme={theme}
          loadPlotly={() => loadPlotly(page)}
        />
      ) : (
        <p class="embed-said">{metric === null ? "Nothing was logged yet." : `There is no metric ${metric}.`}</p>
      )}
      <p class="embed-foot">
        <a href={href(page, run.url_path)} target="_blank" rel="noopener">
          {run.name}
        </a>{" "}
        <span class={`state ${run.state}`}>{run.state}</span>
      </p>
    </article>
  );
}

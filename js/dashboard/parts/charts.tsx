/** The charts of a run, as the widget draws them, on a page of its own. */
import { useCallback, useMemo } from "preact/hooks";
import type { Frame } from "../../api";
import {
  ChartGrid,
  type ChartSpec,
  ChartToolbar,
  type Choices,
  detailFrom,
  type History,
  inStorage,
  type Plotly,
  useTheme,
} from "../../charts";
import { href, type PageContext } from "../page";
import { useShell } from "./context";
import { Loading } from "./loading";

/** Charts are as their reader left them, in every run: they are named by their metrics. */
export const KEPT_CHOICES = inStorage(() => localStorage, "anonrun.charts");

export interface ChartsProps {
  readonly runId: string;
  readonly name: string;
  readonly history: History;
  readonly choices: Choices;
  readonly onChoices: (choices: Choices) => void;
  readonly section: ChartSpec["section"];
  /** When the run began, RFC 3339. */
  readonly createdAt: string;
  readonly loaded: boolean;
  /** What to say while there is no metric. */
  readonly empty: string;
}

type Configurable = Plotly & { setPlotConfig(config: object): void };

/** plotly.js lies beside this script; it is fetched when a chart is first enlarged. */
export async function loadPlotly(page: PageContext): Promise<Plotly> {
  const url = href(page, "/static/plotly.js");
  let plotly: Configurable;
  try {
    plotly = ((await import(url)) as { default: Configurable }).default;
  } catch {
    throw new Error("plotly could not be fetched from the server.");
  }
  // By itself plotly offers to send the chart to its maker's server. SVG is what a paper takes, and it is saved
  // without an image from a blob, which a strict policy refuses.
  plotly.setPlotConfig({ showSendToCloud: false, toImageButtonOptions: { format: "svg" } });
  return plotly;
}

export function Charts(props: ChartsProps) {
  const { runId, name, history, choices, onChoices, section, createdAt, loaded, empty } = props;
  const { page, client } = useShell();
  const theme = useTheme();
  const detail = useMemo(() => detailFrom(client, runId), [client, runId]);
  const allPoints = useCallback(
    async (metrics: readonly string[]): Promise<readonly Frame[]> => {
      const answer = await client.series(runId, metrics);
      if (!answer.ok) throw new Error(answer.problem.detail);
      return answer.value.flatMap(({ frames }) => frames);
    },
    [client, runId],
  );
  if (!loaded) return <Loading what="Reading the points…" />;
  return (
    <div class="anr" data-theme={theme}>
      <ChartGrid
        history={history}
        choices={choices}
        onChoices={onChoices}
        name={name}
        section={section}
        start={Date.parse(createdAt) / 1000}
        theme={theme}
        loadPlotly={() => loadPlotly(page)}
        empty={empty}
        detail={detail}
        allPoints={allPoints}
      />
    </div>
  );
}

export interface ChartToolsProps {
  readonly choices: Choices;
  readonly section?: "charts" | "system";
  readonly onChoices: (choices: Choices) => void;
  readonly history: History;
}

export function ChartTools({ choices, section = "charts", onChoices, history }: ChartToolsProps) {
  return (
    <div class="anr tools" data-theme={useTheme()}>
      <ChartToolbar {...{ choices, section, onChoices }} metrics={history.series.keys()} />
    </div>
  );
}

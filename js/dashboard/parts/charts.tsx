/** The charts of a run, as the widget draws them, on a page of its own. */
import {
  ChartGrid,
  type ChartOptions,
  type ChartSpec,
  ChartToolbar,
  type History,
  type Plotly,
  useTheme,
} from "../../charts";
import { href, type PageContext } from "../page";
import { useShell } from "./context";
import { Loading } from "./loading";

export interface ChartsProps {
  readonly history: History;
  readonly options: ChartOptions;
  readonly section: ChartSpec["section"];
  /** When the run began, RFC 3339. */
  readonly createdAt: string;
  readonly loaded: boolean;
  readonly running: boolean;
}

type Configurable = Plotly & { setPlotConfig(config: object): void };

/** plotly.js lies beside this script; it is fetched when a chart is first enlarged. */
async function loadPlotly(page: PageContext): Promise<Plotly> {
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

export function Charts({ history, options, section, createdAt, loaded, running }: ChartsProps) {
  const { page } = useShell();
  const theme = useTheme();
  if (!loaded) return <Loading what="Reading the points…" />;
  return (
    <div class="anr" data-theme={theme}>
      <ChartGrid
        history={history}
        options={options}
        section={section}
        start={Date.parse(createdAt) / 1000}
        theme={theme}
        loadPlotly={() => loadPlotly(page)}
        empty={running ? "Waiting for the first point…" : "This run logged nothing."}
      />
    </div>
  );
}

export interface ChartToolsProps {
  readonly options: ChartOptions;
  readonly onChange: (options: ChartOptions) => void;
}

export function ChartTools({ options, onChange }: ChartToolsProps) {
  return (
    <div class="anr tools" data-theme={useTheme()}>
      <ChartToolbar options={options} onChange={onChange} />
    </div>
  );
}

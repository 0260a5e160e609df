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

/** plotly.js lies beside this script; it is fetched when a chart is first enlarged. */
async function loadPlotly(page: PageContext): Promise<Plotly> {
  const url = href(page, "/static/plotly.js");
  try {
    return ((await import(url)) as { default: Plotly }).default;
  } catch {
    throw new Error("plotly could not be fetched from the server.");
  }
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

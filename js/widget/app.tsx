/** The view of one run in a notebook: banner, head line, charts, foot line. Never empty. */

import { useEffect, useMemo, useReducer, useState } from "preact/hooks";
import {
  ChartGrid,
  ChartToolbar,
  isOfMachine,
  type Keeper,
  type OtherRun,
  useChoices,
  useHistory,
  useTheme,
} from "../charts";
import { Banner } from "./banner";
import { ConfigTable } from "./config_table";
import { Foot } from "./foot";
import { Head } from "./head";
import { MediaPart } from "./media_part";
import type { RunView, ViewState } from "./run_view";

function useViewState(view: RunView): ViewState {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let frame = 0;
    const soon = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw(undefined);
      });
    };
    const stop = view.subscribe(soon);
    soon();
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [view]);
  return view.state;
}

/** The server's time, once a second while the page is looked at. */
function useServerTime(view: RunView, root: HTMLElement): number {
  const [, tick] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && root.isConnected && tick(undefined), 1_000);
    return () => clearInterval(timer);
  }, [root]);
  return view.now();
}

const NONE: readonly string[] = [];
const NO_RUNS: readonly OtherRun[] = [];

type Tab = "charts" | "system" | "config";
const TAB_NAMES: Record<Tab, string> = { charts: "Charts", system: "System", config: "Config" };

function Tabs({ tabs, tab, onTab }: { tabs: readonly Tab[]; tab: Tab; onTab(tab: Tab): void }) {
  const move = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    onTab(tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length] as Tab);
    event.preventDefault();
  };
  return (
    <div class="anr-tabs" role="tablist" onKeyDown={move}>
      {tabs.map((one) => (
        <button
          key={one}
          type="button"
          role="tab"
          aria-selected={one === tab}
          tabIndex={one === tab ? 0 : -1}
          onClick={() => onTab(one)}
          ref={(element) => {
            if (one === tab && element?.parentElement?.contains(document.activeElement)) element.focus();
          }}
        >
          {TAB_NAMES[one]}
        </button>
      ))}
    </div>
  );
}

export function App({ view, root, keeper }: { view: RunView; root: HTMLElement; keeper: Keeper }) {
  const state = useViewState(view);
  const now = useServerTime(view, root);
  const theme = useTheme();
  const [choices, setChoices] = useChoices(keeper);
  const [chosen, setTab] = useState<Tab>("charts");
  useHistory(state.history);
  const hasSystem = [...state.history.series.keys()].some(isOfMachine);
  const config = state.run.config ?? {};
  const tabs: Tab[] = ["charts"];
  if (hasSystem) tabs.push("system");
  if (Object.keys(config).length) tabs.push("config");
  const tab = tabs.includes(chosen) ? chosen : "charts";
  const start = Date.parse(state.run.created_at ?? "") / 1000 || firstTime(state);
  const { height, key_metrics } = state.config;
  const { history, others } = state;
  const { name } = state.run;
  // The same element as before is not looked through again when only the clock has moved on.
  const grid = useMemo(
    () =>
      tab !== "config" && (
        <ChartGrid
          key={tab}
          history={history}
          choices={choices}
          onChoices={setChoices}
          name={name}
          section={tab}
          start={start}
          theme={theme}
          loadPlotly={view.plotly}
          first={key_metrics ?? NONE}
          others={tab === "charts" ? others : NO_RUNS}
          detail={view.detail}
          allPoints={view.allPoints}
        />
      ),
    [view, history, choices, setChoices, name, tab, start, theme, key_metrics, others],
  );
  return (
    <div class="anr anr-widget" data-theme={theme} data-run-id={view.runId}>
      <Banner view={view} state={state} now={now} />
      <Head state={state} now={now} />
      <div class="anr-bar">
        <Tabs tabs={tabs} tab={tab} onTab={setTab} />
        {tab !== "config" && (
          <ChartToolbar choices={choices} section={tab} onChoices={setChoices} metrics={history.series.keys()} />
        )}
      </div>
      <div class="anr-body" style={height ? { maxHeight: `${height}px`, overflow: "auto" } : undefined}>
        {tab === "config" ? <ConfigTable config={config} /> : grid}
        {tab === "charts" && state.media && (
          <MediaPart
            media={state.media}
            runName={name}
            theme={theme}
            loadPlotly={view.plotly}
            choices={choices}
            onChoices={setChoices}
          />
        )}
      </div>
      <Foot view={view} state={state} />
    </div>
  );
}

function firstTime(state: ViewState): number {
  const [first] = state.history.series.values();
  return first?.columns().time[0] ?? 0;
}

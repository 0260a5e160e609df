/** The controls that hold for all charts of a view. */

import { useEffect, useRef, useState } from "preact/hooks";
import { GESTURES, KEYS } from "./chart_plot";
import { type Choices, DEFAULT_CHOICES, toggled } from "./choices";
import { type ChartSpec, isOfMachine } from "./group";
import { Menu } from "./menu";
import { type ChartOptions, metricAxis, metricOf, optionsFor, type Scale, type XAxis } from "./options";

export interface ChartToolbarProps {
  readonly choices: Choices;
  /** Which charts they are for; those of the machine are drawn over time. */
  readonly section?: ChartSpec["section"];
  /** Of the run, in order of first appearance. */
  readonly metrics: Iterable<string>;
  onChoices(choices: Choices): void;
}

/** So many metrics are offered as x at once; the filter finds the others. */
const MOST_OFFERED = 100;

/** Return the metrics that are offered as x: what is chosen, and those that the filter finds. */
export function offered(metrics: Iterable<string>, { x, filter }: Pick<ChartOptions, "x" | "filter">): string[] {
  const chosen = metricOf(x);
  const found = chosen === null ? [] : [chosen];
  const wanted = filter.trim().toLowerCase();
  const named = [...metrics].filter((name) => name !== chosen && !isOfMachine(name));
  const matching = named.filter((name) => name.toLowerCase().includes(wanted));
  // A filter that finds nothing else would leave no choice.
  return [...found, ...(matching.length ? matching : named)].slice(0, MOST_OFFERED);
}

function Help({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const list = (title: string, rows: readonly (readonly [string, string])[]) => (
    <>
      <h4>{title}</h4>
      <dl class="anr-help">
        {rows.map(([key, what]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </>
  );
  return (
    <dialog ref={dialog} class="anr-dialog anr-small" aria-label="Keys and gestures" onClose={onClose}>
      <header>
        <b>Keys and gestures</b>
        <button type="button" class="anr-quiet" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </header>
      <p class="anr-dim">Arrow keys lead from chart to chart, Enter leads into one, Esc out again.</p>
      {list("In a chart", KEYS)}
      {list("With a pointer", GESTURES)}
    </dialog>
  );
}

export function ChartToolbar({ choices, section = "charts", metrics, onChoices }: ChartToolbarProps) {
  const { options, hidden } = choices;
  const ofMachine = section === "system";
  const [helps, setHelps] = useState(false);
  const change = (part: Partial<ChartOptions>) => onChoices({ ...choices, options: { ...options, ...part } });
  const across = ofMachine ? [] : offered(metrics, options);
  const shown = hidden.slice(0, 8).map((key) => ({
    label: `Show ${key}`,
    act: () => onChoices(toggled(choices, "hidden", key)),
  }));
  const everyone = {
    label: `Show all ${hidden.length} hidden charts`,
    act: () => onChoices({ ...choices, hidden: [] }),
  };
  const groups = [
    [
      {
        label: "Logarithmic x",
        checked: optionsFor(section, options).xScale === "log",
        disabled: ofMachine || options.x === "wall",
        act: () => change({ xScale: options.xScale === "log" ? "linear" : "log" }),
      },
      { label: "Ignore outliers", checked: options.robust, act: () => change({ robust: !options.robust }) },
      { label: "Group by prefix", checked: options.grouped, act: () => change({ grouped: !options.grouped }) },
    ],
    ...(hidden.length ? [[...shown, ...(hidden.length > 1 ? [everyone] : [])]] : []),
    [
      { label: "Keys and gestures…", act: () => setHelps(true) },
      { label: "As at first", act: () => onChoices(DEFAULT_CHOICES) },
    ],
  ];
  return (
    // Jupyter takes letters for commands while a list of choices has the focus, unless told not to.
    <fieldset class="anr-tools" aria-label="Chart options" data-lm-suppress-shortcuts="true">
      <label title="Noisy series get a smoothed line; clean ones are drawn as they are">
        Smoothing
        <input
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={options.smoothing}
          onInput={(event) => change({ smoothing: Number(event.currentTarget.value) })}
        />
        <output class="anr-num">{options.smoothing ? options.smoothing.toFixed(2) : "off"}</output>
      </label>
      <label>
        <span aria-hidden="true">x</span>
        <select
          aria-label="x axis"
          value={optionsFor(section, options).x}
          onChange={(event) => change({ x: event.currentTarget.value as XAxis })}
        >
          {!ofMachine && <option value="step">step</option>}
          <option value="relative">relative time</option>
          <option value="wall">wall time</option>
          {across.length > 0 && (
            <optgroup label="a metric">
              {across.map((metric) => (
                <option key={metric} value={metricAxis(metric)}>
                  {metric}
                </option>
              ))}
            </optgroup>
          )}
        </select>
      </label>
      <label>
        <span aria-hidden="true">y</span>
        <select
          aria-label="y axis"
          value={options.y}
          onChange={(event) => change({ y: event.currentTarget.value as Scale })}
        >
          <option value="linear">linear</option>
          <option value="log">log</option>
        </select>
      </label>
      <input
        type="search"
        placeholder="filter metrics"
        aria-label="Filter metrics"
        size={13}
        value={options.filter}
        onInput={(event) => change({ filter: event.currentTarget.value })}
      />
      <Menu label="View options" class="anr-view" groups={groups}>
        View{hidden.length ? ` · ${hidden.length} hidden` : ""}
      </Menu>
      {helps && <Help onClose={() => setHelps(false)} />}
    </fieldset>
  );
}

/** The controls that hold for all charts of a view. */

import type { ChartOptions, XAxis, YAxis } from "./options";

export interface ChartToolbarProps {
  readonly options: ChartOptions;
  onChange(options: ChartOptions): void;
}

export function ChartToolbar({ options, onChange }: ChartToolbarProps) {
  const change = (part: Partial<ChartOptions>) => onChange({ ...options, ...part });
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
          value={options.x}
          onChange={(event) => change({ x: event.currentTarget.value as XAxis })}
        >
          <option value="step">step</option>
          <option value="relative">relative time</option>
          <option value="wall">wall time</option>
        </select>
      </label>
      <label>
        <span aria-hidden="true">y</span>
        <select
          aria-label="y axis"
          value={options.y}
          onChange={(event) => change({ y: event.currentTarget.value as YAxis })}
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
    </fieldset>
  );
}

/** Chooses which step a panel shows; at its end it goes on with the newest. */

import { formatValue } from "../charts/format";
import { type Place, type Stop, stopText } from "./groups";

export interface StepSliderProps {
  /** What the panel is called. */
  readonly name: string;
  readonly stops: readonly Stop[];
  readonly at: number;
  /** Null: the newest, whatever arrives. */
  onPlace(place: Place | null): void;
}

export function StepSlider({ name, stops, at, onPlace }: StepSliderProps) {
  const stop = stops[at];
  if (!stop) return null;
  const text = stop.of > 1 ? `${formatValue(stop.step, 15)} · ${stop.no}/${stop.of}` : formatValue(stop.step, 15);
  if (stops.length === 1) return <p class="anr-step anr-dim anr-num">step {text}</p>;
  const last = stops.length - 1;
  return (
    <div class="anr-step anr-num">
      <span class="anr-dim" aria-hidden="true">
        step
      </span>
      <input
        type="range"
        min="0"
        max={last}
        step="1"
        value={at}
        aria-label={`Step of ${name}`}
        aria-valuetext={`${stopText(stop)}${at === last ? ", the newest" : ""}`}
        onInput={(event) => {
          const to = Number(event.currentTarget.value);
          onPlace(to === last ? null : (stops[to] as Stop));
        }}
      />
      <output>{text}</output>
      <button
        type="button"
        class="anr-quiet anr-dim"
        data-unneeded={at === last || undefined}
        aria-disabled={at === last}
        aria-label={`Newest step of ${name}`}
        onClick={() => onPlace(null)}
      >
        newest
      </button>
    </div>
  );
}

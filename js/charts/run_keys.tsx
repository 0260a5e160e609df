/** Which runs are drawn, each with the line that is its own, and a button that takes it away and brings it back. */

import { lookOf, swatchOf, type Theme } from "./palette";
import { isStranger, type OtherRun, OWN } from "./runs";

export interface RunKeysProps {
  /** Of the run whose charts are shown. */
  readonly name: string;
  readonly others: readonly OtherRun[];
  /** Keys of runs that are switched off. */
  readonly off: readonly string[];
  readonly theme: Theme;
  /** Of the own run. */
  readonly metrics: readonly string[];
  /** Whether x is a date, which a reference has not. */
  readonly dated: boolean;
  onToggle(key: string): void;
}

export function RunKeys({ name, others, off, theme, metrics, dated, onToggle }: RunKeysProps) {
  const said = (other: OtherRun) => {
    if (isStranger(other, metrics)) return "no metric in common";
    return dated && other.start === null ? "has no dates" : "";
  };
  const rows = [
    { key: OWN, name, kind: "this run", look: lookOf({ index: 0 }, theme), note: "" },
    ...others.map((other) => ({
      ...{ key: other.key, name: other.name, note: said(other), look: lookOf({ index: 0, other }, theme) },
      kind: other.kind === "reference" ? "reference" : "other run",
    })),
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    <div class="anr-runs" role="group" aria-label="Runs in these charts">
      {rows.map(({ key, name: called, kind, look, note }) => {
        const on = !off.includes(key);
        return (
          <button
            key={key}
            type="button"
            class="anr-key"
            data-off={!on || undefined}
            aria-pressed={on}
            title={`${called} (${kind}): ${on ? "hide" : "show"} its lines`}
            onClick={() => onToggle(key)}
          >
            <i style={{ background: swatchOf(look) }} data-own={key === OWN || undefined} />
            <span class="anr-label">{called}</span> {kind === "reference" && <small>reference</small>}
            {note && <small>{note}</small>}
          </button>
        );
      })}
    </div>
  );
}

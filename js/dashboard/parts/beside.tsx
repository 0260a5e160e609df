/** Values of several runs in a table, a column each. */
import { useState } from "preact/hooks";
import type { RunInfo } from "../../api";
import { inStorage, ofTraining } from "../../charts";
import { bestOf, type Directions, readDirections, rowsOf, toldApart, turned } from "../beside";
import { counted, isNumber, shortValue } from "../format";
import { href } from "../page";
import { useShell } from "./context";
import { Scroll } from "./scroll";
import { useKept } from "./use_kept";

const KEPT_DIRECTIONS = inStorage(() => localStorage, "anonrun.best");

const TURN: Readonly<Record<string, { readonly sign: string; readonly said: string }>> = {
  smallest: { sign: "↓", said: "the smallest is best" },
  largest: { sign: "↑", said: "the largest is best" },
};

export interface BesideProps {
  readonly label: "Config" | "Summary";
  readonly runs: readonly RunInfo[];
}

export function Beside({ label, runs }: BesideProps) {
  const { page } = useShell();
  const [whole, setWhole] = useState(false);
  const [directions, setDirections] = useKept<Directions>(KEPT_DIRECTIONS, readDirections);
  const judged = label === "Summary";
  const all = rowsOf(runs.map((run) => (judged ? ofTraining(run.summary) : run.config)));
  const rows = judged || whole ? all : all.filter(({ differs }) => differs);
  const same = all.filter(({ differs }) => !differs).length;
  const names = toldApart(runs);
  return (
    <div class="beside">
      <div class="title">
        <h2>{label}</h2>
        {!judged && same > 0 && (
          <label class="check">
            <input type="checkbox" checked={whole} onChange={(event) => setWhole(event.currentTarget.checked)} />
            <span>also what is the same in all ({same})</span>
          </label>
        )}
        {judged && all.length > 0 && (
          <span class="dim">Press ↕ to say what is best of a value; it is then marked.</span>
        )}
      </div>
      {rows.length === 0 ? (
        <p class="dim">
          {all.length === 0
            ? `None of these runs has a ${label.toLowerCase()}.`
            : `${counted(same, "value")}, the same in all of them.`}
        </p>
      ) : (
        <Scroll label={label}>
          <table class="beside-table">
            <thead>
              <tr>
                <th scope="col">name</th>
                {runs.map((run, i) => (
                  <th key={run.run_id} scope="col" class="beside-run">
                    <a href={href(page, run.url_path)}>{names[i]}</a>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ name, values, differs }) => {
                const best = judged ? bestOf(values, directions[name]) : new Set<number>();
                const turn = TURN[directions[name] ?? ""];
                return (
                  <tr key={name} data-same={!differs || undefined}>
                    <th scope="row">
                      {name}
                      {judged && values.filter(isNumber).length > 1 && (
                        <button
                          type="button"
                          class="turn"
                          aria-label={`Best of ${name}: ${turn?.said ?? "not said"}`}
                          title={turn ? `Of ${name}, ${turn.said}` : `Say what is best of ${name}`}
                          onClick={() => setDirections(turned(directions, name))}
                        >
                          {turn?.sign ?? "↕"}
                        </button>
                      )}
                    </th>
                    {values.map((value, i) => (
                      <td
                        key={i}
                        data-best={best.has(i) || undefined}
                        title={value === undefined ? "It has none" : String(shortOrWhole(value))}
                      >
                        {value === undefined ? "–" : shortValue(value)}
                        {best.has(i) && (
                          <>
                            {" "}
                            <span aria-hidden="true">★</span>
                            <span class="unseen">best</span>
                          </>
                        )}
                      </td>
                    ))}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Scroll>
      )}
    </div>
  );
}

const shortOrWhole = (value: unknown) => (typeof value === "number" ? value : shortValue(value));

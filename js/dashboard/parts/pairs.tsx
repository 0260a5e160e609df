/** Names and values, such as a config: nested mappings are told by their path, and a filter finds them. */

import { useMemo, useState } from "preact/hooks";
import { isNumber, longValue } from "../format";
import { flatPairs } from "../pairs";
import { Scroll } from "./scroll";

export interface PairsProps {
  readonly label: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly empty: string;
}

const FILTER_FROM = 12;

export function Pairs({ label, values, empty }: PairsProps) {
  const [words, setWords] = useState("");
  const all = useMemo(() => flatPairs(values), [values]);
  const shown = all.filter(([name]) => name.toLowerCase().includes(words.toLowerCase()));
  if (all.length === 0) return <p class="empty">{empty}</p>;
  return (
    <>
      {all.length >= FILTER_FROM && (
        <input
          type="search"
          class="pairs-filter"
          placeholder={`filter ${label}`}
          aria-label={`Filter ${label}`}
          value={words}
          onInput={(event) => setWords(event.currentTarget.value.trim())}
        />
      )}
      <Scroll label={label}>
        <table class="pairs">
          <thead>
            <tr>
              <th scope="col">name</th>
              <th scope="col">value</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td title={isNumber(value) ? String(value) : undefined}>{longValue(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {shown.length === 0 && <p class="empty">Nothing matches “{words}”.</p>}
    </>
  );
}

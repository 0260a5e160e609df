/** A confusion matrix: small ones as a table with colours, large ones as a picture with the worst mistakes in words. */

import { useMemo, useState } from "preact/hooks";
import { formatValue } from "../charts/format";
import type { Theme } from "../charts/palette";
import { Canvas } from "./canvas";
import { Unreadable } from "./content";
import { accuracyOf, type Matrix, matrixIn, mistakesOf, percent, sharesOf } from "./matrix";
import { css, inkOn, rampAt } from "./ramp";
import { Rows } from "./rows";
import { placeOf, Tip, type TipPlace } from "./tip";

/** So many classes are still read cell by cell. */
const MOST_CELLS = 24;
/** So many leave room for two numbers in a cell. */
const MOST_SHARES = 10;
const MOST_MISTAKES = 200;

interface PartProps {
  readonly name: string;
  readonly matrix: Matrix;
  readonly shares: readonly (readonly number[])[];
  readonly theme: Theme;
}

function Cells({ name, matrix, shares, theme }: PartProps) {
  const { labels, counts } = matrix;
  const roomy = labels.length <= MOST_SHARES;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="anr-matrix anr-num" tabIndex={0} aria-label={`Matrix of ${name}`}>
      <table class="anr-names">
        <caption>rows: what it is · columns: what it was taken for</caption>
        <thead>
          <tr>
            <td />
            {labels.map((label, j) => (
              <th key={j} scope="col" title={label}>
                <span>{label}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {counts.map((row, i) => (
            <tr key={i}>
              <th scope="row" title={labels[i]}>
                <span>{labels[i]}</span>
              </th>
              {row.map((count, j) => {
                const share = shares[i]?.[j] ?? 0;
                const paper = rampAt(share, theme);
                const hint = `${labels[i]} taken for ${labels[j]}: ${formatValue(count, 6)}, ${percent(share)} of ${labels[i]}`;
                return (
                  <td key={j} title={hint} style={{ background: css(paper), color: css(inkOn(paper)) }}>
                    {formatValue(count, 3)}
                    {roomy && <small>{percent(share)}</small>}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface Pointed {
  readonly place: TipPlace;
  readonly row: number;
  readonly column: number;
}

function Picture({ name, matrix, shares, theme }: PartProps) {
  const { labels, counts } = matrix;
  const n = labels.length;
  const [pointed, setPointed] = useState<Pointed | null>(null);
  return (
    <div
      class="anr-draw anr-square"
      onPointerLeave={() => setPointed(null)}
      onPointerMove={(event) => {
        const place = placeOf(event);
        const at = (part: number, whole: number) => Math.min(n - 1, Math.max(0, Math.floor((part / whole) * n)));
        setPointed({ place, row: at(place.y, place.height), column: at(place.x, place.width) });
      }}
    >
      <Canvas
        class="anr-sheet"
        label={`Confusion matrix ${name} of ${n} classes, rows: what it is, columns: what it was taken for.`}
        subject={[matrix, theme]}
        draw={(surface, { width, height }) => {
          // Of many classes none may take all, and a small mistake is to be seen.
          const most = Math.max(...shares.map((row) => Math.max(...row))) || 1;
          const edge = (at: number, whole: number) => Math.round((at / n) * whole);
          for (const [i, row] of shares.entries()) {
            const top = edge(i, height);
            for (const [j, share] of row.entries()) {
              const left = edge(j, width);
              const box = { left, top, width: edge(j + 1, width) - left, height: edge(i + 1, height) - top };
              surface.box(box, css(rampAt(Math.sqrt(share / most), theme)));
            }
          }
        }}
      />
      {pointed && (
        <Tip at={pointed.place}>
          <em>
            {labels[pointed.row]} taken for {labels[pointed.column]}
          </em>
          <b>{formatValue(counts[pointed.row]?.[pointed.column] ?? 0, 6)}</b>
          <span>{percent(shares[pointed.row]?.[pointed.column] ?? 0)}</span>
        </Tip>
      )}
    </div>
  );
}

export interface MatrixViewProps {
  readonly name: string;
  readonly text: string;
  readonly theme: Theme;
  readonly tabled: boolean;
}

export function MatrixView({ name, text, theme, tabled }: MatrixViewProps) {
  const matrix = useMemo(() => matrixIn(text), [text]);
  const shares = useMemo(() => (matrix ? sharesOf(matrix) : []), [matrix]);
  if (!matrix) return <Unreadable what="confusion matrix" />;
  if (tabled) {
    const mistakes = mistakesOf(matrix, MOST_MISTAKES).map(({ actual, predicted, count, share }) => [
      ...[actual, predicted, formatValue(count, 6), percent(share)],
    ]);
    const columns = ["it is", "taken for", "count", "share"];
    return <Rows name={name} columns={columns} rows={mistakes} empty="Nothing was mistaken." />;
  }
  const accuracy = accuracyOf(matrix);
  const part = { name, matrix, shares, theme };
  return (
    <>
      {matrix.labels.length <= MOST_CELLS ? <Cells {...part} /> : <Picture {...part} />}
      <p class="anr-aside anr-num">
        {accuracy === null ? "nothing was counted" : `${formatValue(100 * accuracy, 4)} % taken for what they are`}
      </p>
    </>
  );
}

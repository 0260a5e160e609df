/** A histogram over steps: a heat map, and beside it the bars of one step on the same axis. */

import { useMemo, useState } from "preact/hooks";
import { formatValue } from "../charts/format";
import type { Theme } from "../charts/palette";
import { Canvas } from "./canvas";
import { Unreadable } from "./content";
import { binAt, type Column, type Histogram, heatOf, histogramIn, spanOf, totalOf } from "./histogram";
import { paintHistogram, placesIn, ROWS } from "./histogram_paint";
import { Rows } from "./rows";
import { placeOf, Tip, type TipPlace } from "./tip";

export interface HistogramViewProps {
  readonly name: string;
  readonly text: string;
  readonly step: number;
  /** Of the heat map, by step. */
  readonly columns: readonly Column[];
  /** Of how many steps one is in the map. */
  readonly stride: number;
  readonly theme: Theme;
  readonly tabled: boolean;
}

/** Return what is said of a histogram. */
export function describe(name: string, histogram: Histogram, step: number): string {
  const { edges, counts } = histogram;
  let fullest = 0;
  for (let i = 1; i < counts.length; i++) if ((counts[i] as number) > (counts[fullest] as number)) fullest = i;
  const edge = (i: number) => formatValue(edges[i] as number, 3);
  const total = totalOf(histogram);
  const most = total ? `, most from ${edge(fullest)} to ${edge(fullest + 1)}` : "";
  const values = `${formatValue(total)} values from ${edge(0)} to ${edge(counts.length)}`;
  return `Histogram of ${name} at step ${step}: ${values}${most}.`;
}

/** The index of the column of a step, or the last one before it. */
function columnAt(columns: readonly Column[], step: number): number {
  return Math.max(0, columns.filter((column) => column.step <= step).length - 1);
}

function TableOfBins({ name, histogram }: { readonly name: string; readonly histogram: Histogram }) {
  const rows = Array.from(histogram.counts, (count, i) => [
    formatValue(histogram.edges[i] as number, 6),
    formatValue(histogram.edges[i + 1] as number, 6),
    formatValue(count, 15),
  ]);
  return <Rows name={name} columns={["from", "to", "count"]} rows={rows} />;
}

interface Pointed {
  readonly place: TipPlace;
  readonly step: number;
  readonly bin: string;
  readonly count: string;
}

export function HistogramView(props: HistogramViewProps) {
  const { name, text, step, columns, stride, theme, tabled } = props;
  const histogram = useMemo(() => histogramIn(text), [text]);
  const heat = useMemo(() => heatOf(columns, ROWS), [columns]);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  if (!histogram) return <Unreadable what="histogram" />;
  if (tabled) return <TableOfBins name={name} histogram={histogram} />;
  const mapped = columns.length > 1;
  const span = mapped ? heat : spanOf([histogram]);
  const at = columnAt(columns, step);

  const look = (event: PointerEvent & { readonly currentTarget: Element }) => {
    const place = placeOf(event);
    const { top, bottom, map, bars } = placesIn(place, mapped);
    const value = span.low + ((bottom - place.y) / (bottom - top)) * (span.high - span.low);
    const no = Math.floor(((place.x - map.left) / (map.right - map.left)) * columns.length);
    const of = mapped && place.x < map.right ? columns[no] : place.x >= bars.left ? { step, ...histogram } : undefined;
    if (!of || place.y > bottom) return setPointed(null);
    const bin = binAt(of, value);
    const edge = (i: number) => formatValue(of.edges[i] as number, 4);
    setPointed({
      place,
      step: of.step,
      bin: bin === null ? `nothing at ${formatValue(value, 4)}` : `${edge(bin)} … ${edge(bin + 1)}`,
      count: bin === null ? "0" : formatValue(of.counts[bin] as number, 6),
    });
  };
  return (
    <div class="anr-draw" onPointerMove={look} onPointerLeave={() => setPointed(null)}>
      <Canvas
        class="anr-sheet"
        label={describe(name, histogram, step) + (mapped ? ` Heat map over ${columns.length} steps.` : "")}
        subject={[heat, histogram, at, step, theme]}
        draw={(surface, size, ink) =>
          paintHistogram(
            surface,
            size,
            { name, histogram, step, columns, heat, at, span, theme },
            { text: ink("--anr-dim"), line: ink("--anr-line"), bar: ink("--anr-accent") },
          )
        }
      />
      {stride > 1 && <p class="anr-aside">the map has one of {stride} steps</p>}
      {pointed && (
        <Tip at={pointed.place}>
          <em>step {formatValue(pointed.step, 15)}</em>
          <span>{pointed.bin}</span>
          <b>{pointed.count}</b>
        </Tip>
      )}
    </div>
  );
}

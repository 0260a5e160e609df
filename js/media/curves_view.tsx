/** Curves over one pair of axes, such as precision over recall: a line chart with a legend. */

import { useMemo, useState } from "preact/hooks";
import { formatTicks, formatValue } from "../charts/format";
import { colorOf, dashOf, swatchOf, type Theme } from "../charts/palette";
import { linearTicks } from "../charts/ticks";
import { Unreadable } from "./content";
import { type Curve, type Curves, curvesIn, type Frame, frameOf, isRoc, valueAt } from "./curves";
import { Rows } from "./rows";
import { placeOf, Tip, type TipPlace } from "./tip";

/** Of the drawing, in its own units; it is scaled to the room there is. */
const [WIDTH, HEIGHT] = [400, 240];
const BOX = { left: 40, right: 392, top: 6, bottom: 206 };
const MOST_IN_TIP = 8;
const TABLE_ROWS = 11;

interface Axes {
  readonly x: Frame;
  readonly y: Frame;
}

function axesOf({ lines }: Curves): Axes {
  return { x: frameOf(lines.flatMap((line) => line.x)), y: frameOf(lines.flatMap((line) => line.y)) };
}

function xOf(value: number, { low, high }: Frame): number {
  return BOX.left + ((value - low) / (high - low)) * (BOX.right - BOX.left);
}

function yOf(value: number, { low, high }: Frame): number {
  return BOX.bottom - ((value - low) / (high - low)) * (BOX.bottom - BOX.top);
}

function pathOf(line: Curve, axes: Axes): string {
  const points = line.x.map((x, i) => `${xOf(x, axes.x).toFixed(1)} ${yOf(line.y[i] as number, axes.y).toFixed(1)}`);
  return `M${points.join("L")}`;
}

function Grid({ curves, axes }: { readonly curves: Curves; readonly axes: Axes }) {
  const [across, up] = [linearTicks(axes.x.low, axes.x.high, 5), linearTicks(axes.y.low, axes.y.high, 5)];
  return (
    <g class="anr-axes">
      {formatTicks(up).map((label, i) => {
        const y = yOf(up[i] as number, axes.y);
        return (
          <g key={label}>
            <path d={`M${BOX.left} ${y}H${BOX.right}`} />
            <text x={BOX.left - 5} y={y + 3} text-anchor="end">
              {label}
            </text>
          </g>
        );
      })}
      {formatTicks(across).map((label, i) => (
        <text key={label} x={xOf(across[i] as number, axes.x)} y={BOX.bottom + 13} text-anchor="middle">
          {label}
        </text>
      ))}
      <text x={(BOX.left + BOX.right) / 2} y={HEIGHT - 5} text-anchor="middle">
        {curves.xTitle}
      </text>
      <text transform={`translate(10 ${(BOX.top + BOX.bottom) / 2}) rotate(-90)`} text-anchor="middle">
        {curves.yTitle}
      </text>
    </g>
  );
}

function Legend({ curves, theme }: { readonly curves: Curves; readonly theme: Theme }) {
  return (
    <ul class="anr-legend anr-num">
      {curves.lines.map(({ name, area }, i) => (
        <li key={i} title={name}>
          <i style={{ background: swatchOf({ color: colorOf(i, theme), dash: dashOf(i) }) }} />
          <span>{name}</span>
          {area !== null && <small>area {formatValue(area, 3)}</small>}
        </li>
      ))}
    </ul>
  );
}

function TableOfCurves({ name, curves, axes }: { name: string; curves: Curves; axes: Axes }) {
  const { low, high } = axes.x;
  const at = Array.from({ length: TABLE_ROWS }, (_, i) => low + ((high - low) * i) / (TABLE_ROWS - 1));
  const read = (line: Curve, x: number) => {
    const value = valueAt(line, x);
    return value === null ? "" : formatValue(value, 3);
  };
  const rows = at.map((x) => [formatValue(x, 3), ...curves.lines.map((line) => read(line, x))]);
  const areas = ["area", ...curves.lines.map(({ area }) => (area === null ? "" : formatValue(area, 3)))];
  return (
    <Rows name={name} columns={[curves.xTitle, ...curves.lines.map((line) => line.name)]} rows={[...rows, areas]} />
  );
}

function describe(name: string, { xTitle, yTitle, lines }: Curves): string {
  const areas = lines.map((line) => line.name + (line.area === null ? "" : `, area ${formatValue(line.area, 3)}`));
  return `Curves ${name}: ${yTitle} over ${xTitle}. ${areas.join("; ")}.`;
}

interface Pointed {
  readonly place: TipPlace;
  readonly x: number;
}

function Pointers({ curves, theme, at }: { curves: Curves; theme: Theme; at: Pointed }) {
  const found = curves.lines.flatMap((line, i) => {
    const y = valueAt(line, at.x);
    return y === null ? [] : [{ name: line.name, y, color: colorOf(i, theme) }];
  });
  const shown = found.sort((a, b) => b.y - a.y).slice(0, MOST_IN_TIP);
  return (
    <Tip at={at.place}>
      <em>
        {curves.xTitle} {formatValue(at.x, 3)}
      </em>
      {shown.map(({ name, y, color }) => (
        <div key={name} class="anr-pair">
          <i style={{ background: color }} />
          <span>{name}</span>
          <b>{formatValue(y, 3)}</b>
        </div>
      ))}
      {found.length > shown.length && <em>and {found.length - shown.length} more</em>}
    </Tip>
  );
}

export interface CurvesViewProps {
  readonly name: string;
  readonly text: string;
  readonly theme: Theme;
  readonly tabled: boolean;
}

export function CurvesView({ name, text, theme, tabled }: CurvesViewProps) {
  const curves = useMemo(() => curvesIn(text), [text]);
  const axes = useMemo(() => curves && axesOf(curves), [curves]);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  if (!curves || !axes) return <Unreadable what="set of curves" />;
  if (tabled) return <TableOfCurves name={name} curves={curves} axes={axes} />;
  const look = (event: PointerEvent & { readonly currentTarget: Element }) => {
    const place = placeOf(event);
    const at = ((place.x / place.width) * WIDTH - BOX.left) / (BOX.right - BOX.left);
    const x = axes.x.low + at * (axes.x.high - axes.x.low);
    setPointed(at < 0 || at > 1 ? null : { place, x });
  };
  return (
    <>
      <div class="anr-draw anr-flow" onPointerMove={look} onPointerLeave={() => setPointed(null)}>
        <svg class="anr-curves" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={describe(name, curves)}>
          <Grid curves={curves} axes={axes} />
          {isRoc(curves) && (
            <path class="anr-guess" d={`M${xOf(0, axes.x)} ${yOf(0, axes.y)}L${xOf(1, axes.x)} ${yOf(1, axes.y)}`} />
          )}
          {curves.lines.map((line, i) => (
            <path
              key={i}
              class="anr-curve"
              d={pathOf(line, axes)}
              stroke={colorOf(i, theme)}
              stroke-dasharray={dashOf(i).join(" ")}
            />
          ))}
          {pointed && <path class="anr-at-x" d={`M${xOf(pointed.x, axes.x)} ${BOX.top}V${BOX.bottom}`} />}
        </svg>
        {pointed && <Pointers curves={curves} theme={theme} at={pointed} />}
      </div>
      <Legend curves={curves} theme={theme} />
    </>
  );
}

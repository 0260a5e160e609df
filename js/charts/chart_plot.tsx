/** The drawing of a chart alone, with its cursor and its keys. */

import { useEffect, useRef } from "preact/hooks";
import type { Line, Range } from "./lines";
import { type ChartOptions, metricOf } from "./options";
import type { Theme } from "./palette";
import { formatX } from "./place";
import { isPlotKey, Plot } from "./plot";

export interface ChartPlotProps {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly options: ChartOptions;
  readonly theme: Theme;
  readonly zoom: Range | null;
  readonly syncKey: string;
  /** Whether it is near enough to the screen to be drawn. */
  readonly visible: boolean;
  /** What a screen reader says of the picture. */
  readonly label: string;
  readonly tabIndex?: number;
  onZoom(range: Range | null): void;
  onHover?: (x: number | null) => void;
  onSay(text: string): void;
  onEnter?: () => void;
}

export const KEYS = [
  ["← →", "the point before or after"],
  ["PgUp PgDn", "ten points on"],
  ["Home End", "the first or the last point"],
  ["↑ ↓", "another line"],
  ["+ −", "closer, further off"],
  ["Shift + ← →", "move along"],
  ["0", "all of it again"],
  ["Enter", "enlarge"],
  ["Esc", "let go, then back to the chart as a whole"],
] as const;

export const GESTURES = [
  ["draw", "choose a stretch"],
  ["double click", "all of it again"],
  ["Shift + draw, Shift + wheel", "move along"],
  ["Ctrl + wheel, two fingers", "closer, further off"],
  ["a name beside its colour", "its line on or off"],
  ["drag a title", "put the chart elsewhere"],
] as const;

const MOST_EARLY = 20;

export function ChartPlot(props: ChartPlotProps) {
  const { lines, options, theme, zoom, visible } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  /** Keys that came before it was drawn: a reader who has just come here is quicker than the page. */
  const early = useRef<KeyboardEvent[]>([]);
  const now = useRef(props);
  now.current = props;

  useEffect(() => {
    if (!host.current || !visible) return;
    const { x, xScale, y, robust } = options;
    const state = { lines, zoom, theme, x, xScale, y, robust };
    if (plot.current) plot.current.update(state);
    else {
      const heard = {
        zoomed: (range: Range | null) => now.current.onZoom(range),
        hovered: (at: number | null) => now.current.onHover?.(at),
        named: (at: number) => formatX(at, now.current.options),
        said: (text: string) => now.current.onSay(text),
      };
      plot.current = new Plot(host.current, state, heard, now.current.syncKey, now.current.label);
      for (const event of early.current.splice(0)) plot.current.key(event);
    }
  }, [lines, options.x, options.xScale, options.y, options.robust, theme, zoom, visible]);
  useEffect(() => plot.current?.label(props.label), [props.label]);

  useEffect(() => {
    const observer = new ResizeObserver(() => plot.current?.resize());
    if (host.current) observer.observe(host.current);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);

  const keys = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && props.onEnter) props.onEnter();
    else if (event.key === "Escape") {
      // A second one leads out.
      if (!plot.current?.leave()) return;
    } else if (!plot.current && isPlotKey(event)) early.current = [...early.current.slice(1 - MOST_EARLY), event];
    else if (!plot.current?.key(event)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={host}
      class="anr-plot"
      tabIndex={props.tabIndex ?? 0}
      role="application"
      aria-roledescription="chart"
      aria-label={`${props.title}${metricOf(options.x) === null ? "" : ` over ${metricOf(options.x)}`}: arrow keys read its points`}
      onKeyDown={keys}
      onBlur={() => {
        early.current = [];
        plot.current?.leave();
      }}
    />
  );
}

/** A Plotly figure, drawn by the page's part of plotly, which is fetched when the first one comes into sight. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Theme } from "../charts/palette";
import type { LoadPlotly, Plotly } from "../charts/plotly";
import { plotlyInksOf } from "../charts/plotly_inks";
import { Remark, Unreadable } from "./content";
import { type Figure, factsOf, figureIn, missingTypes, themedLayout, titleOf } from "./figure";
import { Rows } from "./rows";

type Drawn = { readonly state: "waiting" | "drawn" } | { readonly state: "failed"; readonly why: string };

interface DrawnFigureProps {
  readonly name: string;
  readonly figure: Figure;
  readonly theme: Theme;
  readonly loadPlotly: LoadPlotly;
}

function DrawnFigure({ name, figure, theme, loadPlotly }: DrawnFigureProps) {
  const host = useRef<HTMLDivElement>(null);
  const plotly = useRef<Plotly | null>(null);
  const [drawn, setDrawn] = useState<Drawn>({ state: "waiting" });
  useEffect(() => {
    let wanted = true;
    const draw = async () => {
      plotly.current ??= await loadPlotly();
      const element = host.current;
      if (!wanted || !element) return;
      // plotly writes into what it is given.
      const data = structuredClone(figure.data) as object[];
      const layout = themedLayout(figure, plotlyInksOf(element), theme);
      await plotly.current.react(element, data, structuredClone(layout), { responsive: false, displaylogo: false });
      if (wanted) setDrawn({ state: "drawn" });
    };
    draw().catch((error: unknown) => {
      if (wanted) setDrawn({ state: "failed", why: error instanceof Error ? error.message : String(error) });
    });
    return () => {
      wanted = false;
    };
  }, [figure, theme]);
  useEffect(() => {
    const element = host.current as HTMLDivElement;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth && element.firstChild) plotly.current?.Plots.resize(element);
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plotly.current?.purge(element);
    };
  }, []);
  const title = titleOf(figure);
  const facts = factsOf(figure).map(({ name: trace, type }) => `${trace}, ${type}`);
  return (
    <>
      {drawn.state === "waiting" && (
        <Remark>
          <i class="anr-spinner" />
          Fetching plotly…
        </Remark>
      )}
      {drawn.state === "failed" && <Remark>This figure could not be drawn: {drawn.why}</Remark>}
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields */}
      <div
        ref={host}
        class="anr-figure"
        role="group"
        aria-label={`Figure ${name}${title && `: ${title}`}. ${facts.slice(0, 8).join("; ")}.`}
        hidden={drawn.state === "failed"}
      />
    </>
  );
}

export interface FigureViewProps extends Omit<DrawnFigureProps, "figure"> {
  readonly text: string;
  readonly tabled: boolean;
}

export function FigureView({ text, tabled, ...rest }: FigureViewProps) {
  const figure = useMemo(() => figureIn(text), [text]);
  if (!figure) return <Unreadable what="figure" />;
  if (tabled) {
    const rows = factsOf(figure).map(({ name, type, points }) => [name, type, points === null ? "" : String(points)]);
    return <Rows name={rest.name} columns={["trace", "type", "points"]} rows={rows} />;
  }
  const missing = missingTypes(figure);
  if (missing.length) {
    return (
      <Remark>
        This page draws no {missing.join(", no ")}. Save the figure, and open it with Plotly: its menu has the file.
      </Remark>
    );
  }
  if (!figure.data.length) return <Remark>This figure has no traces.</Remark>;
  return <DrawnFigure figure={figure} {...rest} />;
}

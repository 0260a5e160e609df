/** A Plotly figure of somebody's run, made fit for this page. Pure.
 *
 * It is data from anyone: nothing in it may fetch from elsewhere or lead anywhere, and its colours follow the page's theme.
 */

import { colorOf, type Theme } from "../charts/palette";
import type { PlotlyInks } from "../charts/plotly";
import { objectIn } from "./reading";

export interface Figure {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly layout: Readonly<Record<string, unknown>>;
}

/** What the page's part of plotly draws; see `plotly/index.js`. */
export const TRACE_TYPES: ReadonlySet<string> = new Set([
  ...["scatter", "bar", "heatmap", "histogram", "histogram2d", "box", "violin", "pie", "contour", "image"],
]);

/** Types that have one of the above with the same fields. */
const SAME: Readonly<Record<string, string>> = { scattergl: "scatter", heatmapgl: "heatmap" };

const MOST_TRACES = 500;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Plotly reads some tags in texts. Those of letters stay, without any style of their own; links are the text alone. */
function withoutLinks(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/<\/?a\b[^>]*>?/gi, "").replace(/<(\/?[a-z]+)\b[^>]*>/gi, "<$1>");
  if (Array.isArray(value)) return value.map(withoutLinks);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, withoutLinks(v)])) : value;
}

/** Only what is in the figure itself is drawn: nothing is fetched. */
function ownImages(images: unknown): unknown[] {
  if (!Array.isArray(images)) return [];
  return images.filter((image) => isObject(image) && /^data:image\/(png|jpeg|webp);/i.test(String(image.source)));
}

/** Return the figure in a content, or null where there is none. */
export function figureIn(text: string): Figure | null {
  const said = objectIn(text);
  if (!said || !Array.isArray(said.data) || !said.data.every(isObject)) return null;
  const { template: _, images, updatemenus: __, sliders: ___, ...layout } = isObject(said.layout) ? said.layout : {};
  const data = said.data.slice(0, MOST_TRACES).map((trace) => {
    const type = typeof trace.type === "string" ? trace.type : "scatter";
    return withoutLinks({ ...trace, type: SAME[type] ?? type }) as Figure["data"][number];
  });
  return { data, layout: { ...(withoutLinks(layout) as object), images: ownImages(images) } };
}

/** Return the types of a figure's traces that cannot be drawn here. */
export function missingTypes({ data }: Figure): string[] {
  return [...new Set(data.map(({ type }) => String(type)))].filter((type) => !TRACE_TYPES.has(type));
}

/** Return the title of a figure; "" where it has none. */
export function titleOf({ layout }: Figure): string {
  const { title } = layout;
  const text = isObject(title) ? title.text : title;
  return typeof text === "string" ? text.replace(/<[^>]*>/g, " ").trim() : "";
}

/** Return plotly's layout: the figure's own on the page's paper, in its ink. */
export function themedLayout({ layout }: Figure, inks: PlotlyInks, theme: Theme): object {
  const axis = { gridcolor: inks.grid, linecolor: inks.grid, zerolinecolor: inks.grid, automargin: true };
  const template = {
    layout: {
      colorway: [0, 1, 2, 3, 4, 5].map((index) => colorOf(index, theme)),
      font: { family: inks.font, size: 12, color: inks.dim },
      title: { font: { color: inks.text, size: 14 } },
      hoverlabel: { bgcolor: inks.background, bordercolor: inks.grid, font: { color: inks.text } },
      xaxis: axis,
      yaxis: axis,
    },
  };
  const { width: _, height: __, font, ...own } = layout;
  const { color: ___, ...type } = isObject(font) ? font : {};
  const paper = "rgba(0,0,0,0)";
  return {
    margin: { l: 48, r: 16, t: titleOf({ data: [], layout }) ? 48 : 16, b: 44 },
    ...{ ...own, template, font: type, autosize: true, paper_bgcolor: paper, plot_bgcolor: paper },
    modebar: { bgcolor: paper, color: inks.dim, activecolor: inks.text },
  };
}

export interface TraceFact {
  readonly name: string;
  readonly type: string;
  readonly points: number | null;
}

/** Return what each trace is, for whoever cannot see them. */
export function factsOf({ data }: Figure): TraceFact[] {
  return data.map((trace, i) => {
    const held = [trace.y, trace.x, trace.values, trace.z].find(Array.isArray);
    const name = typeof trace.name === "string" && trace.name ? trace.name : `trace ${i + 1}`;
    return { name, type: String(trace.type), points: held ? held.length : null };
  });
}

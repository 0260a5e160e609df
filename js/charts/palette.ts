/** Colours of series: Okabe and Ito's, which people with colour-blindness tell apart; lighter on dark. */

export type Theme = "light" | "dark";

const OKABE_ITO: Record<Theme, readonly string[]> = {
  light: ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"],
  dark: ["#56B4E9", "#F2893B", "#3CC79A", "#E29BC4", "#F0C04A", "#8FD0F5"],
};

const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]] as const;

/** A reference takes no part in the play of colours. */
const CALM: Record<Theme, string> = { light: "#6F7782", dark: "#A3ACB7" };

/** Colours of other runs: first those that a chart of training and validation does not take. */
const RUN_COLORS = [3, 2, 4, 5] as const;

/** Return the colour of the series at `index` of its chart; after six they repeat, then `dashOf` differs. */
export function colorOf(index: number, theme: Theme): string {
  const colors = OKABE_ITO[theme];
  return colors[index % colors.length] as string;
}

/** Return the dash pattern, in CSS pixels, of the series at `index` of its chart. */
export function dashOf(index: number): readonly number[] {
  return DASHES[Math.floor(index / OKABE_ITO.light.length) % DASHES.length] as readonly number[];
}

/** Which run a line is of, where that is another than the one whose charts are shown. */
export interface RunMark {
  readonly kind: "reference" | "run";
  /** Its place among other runs, for its colour; it keeps that while it is shown, whatever comes and goes beside it. */
  readonly slot: number;
}

/** How a line is drawn, its colour apart from all else: nobody has to tell it by that alone. */
export interface Look {
  readonly color: string;
  readonly dash: readonly number[];
  /** In units of what a line of the own run has. */
  readonly weight: number;
  readonly alpha: number;
  /** What stands at its end. */
  readonly end: "dot" | "diamond";
}

/**
 * Return how the line of the series at `index` of its chart looks.
 *
 * In the own run colours tell series apart. Another run has one colour, and dashes tell its series apart; a reference is
 * grey and never a solid line.
 */
export function lookOf({ index, other }: { index: number; other?: RunMark | null | undefined }, theme: Theme): Look {
  if (!other) return { color: colorOf(index, theme), dash: dashOf(index), weight: 1, alpha: 1, end: "dot" };
  if (other.kind === "reference") {
    const dash = DASHES[1 + (index % (DASHES.length - 1))] as readonly number[];
    return { color: CALM[theme], dash, weight: 0.85, alpha: 0.95, end: "diamond" };
  }
  const color = colorOf(RUN_COLORS[other.slot % RUN_COLORS.length] as number, theme);
  // Where colours repeat, the dashes begin with another one.
  const dash = DASHES[(index + Math.floor(other.slot / RUN_COLORS.length)) % DASHES.length] as readonly number[];
  return { color, dash, weight: 0.75, alpha: 0.6, end: "dot" };
}

/** Return the CSS background of a legend's short line. */
export function swatchOf({ color, dash }: Pick<Look, "color" | "dash">): string {
  if (!dash.length) return color;
  const [on = 0, off = 0] = dash.map((length) => Math.ceil(length / 2));
  return `repeating-linear-gradient(90deg, ${color} 0 ${on}px, transparent ${on}px ${on + off}px)`;
}

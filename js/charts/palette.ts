/** Colours of series: Okabe and Ito's, which people with colour-blindness tell apart; lighter on dark. */

export type Theme = "light" | "dark";

const OKABE_ITO: Record<Theme, readonly string[]> = {
  light: ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"],
  dark: ["#56B4E9", "#F2893B", "#3CC79A", "#E29BC4", "#F0C04A", "#8FD0F5"],
};

const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]] as const;

/** Return the colour of the series at `index` of its chart; after six they repeat, then `dashOf` differs. */
export function colorOf(index: number, theme: Theme): string {
  const colors = OKABE_ITO[theme];
  return colors[index % colors.length] as string;
}

/** Return the dash pattern, in CSS pixels, of the series at `index` of its chart. */
export function dashOf(index: number): readonly number[] {
  return DASHES[Math.floor(index / OKABE_ITO.light.length) % DASHES.length] as readonly number[];
}

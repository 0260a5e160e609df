/** The colours of shares: from the paper to full, legible in light and dark. Pure. */

import type { Theme } from "../charts/palette";

type Rgb = readonly [red: number, green: number, blue: number];

const STOPS: Readonly<Record<Theme, readonly Rgb[]>> = {
  light: [
    [246, 249, 252],
    [107, 174, 214],
    [8, 69, 148],
  ],
  dark: [
    [24, 30, 38],
    [35, 95, 160],
    [150, 205, 250],
  ],
};
const INKS: readonly Rgb[] = [
  [255, 255, 255],
  [11, 18, 32],
];

/** Return the colour of a share from 0 to 1; what lies outside is taken to the nearer end. */
export function rampAt(share: number, theme: Theme): Rgb {
  const stops = STOPS[theme];
  const place = Math.min(1, Math.max(0, share || 0)) * (stops.length - 1);
  const at = Math.min(stops.length - 2, Math.floor(place));
  const [from, to] = [stops[at] as Rgb, stops[at + 1] as Rgb];
  return from.map((part, i) => Math.round(part + ((to[i] as number) - part) * (place - at))) as unknown as Rgb;
}

/** Relative luminance of WCAG 2. */
function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Return the contrast of two colours, 1 … 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Return the ink that is read best on a colour. */
export function inkOn(paper: Rgb): Rgb {
  return [...INKS].sort((a, b) => contrast(b, paper) - contrast(a, paper))[0] as Rgb;
}

export function css([red, green, blue]: Rgb): string {
  return `rgb(${red}, ${green}, ${blue})`;
}

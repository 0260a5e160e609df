/** A chart as a picture for papers and slides: its title, the names of its lines, and the drawing. */

import { FONT_SIZE, layOut, type Shown } from "./layout";
import { nameOfX } from "./options";
import { type Inks, paintChart } from "./paint";
import { lookOf, type Theme } from "./palette";
import { FINE_GRAIN, onCanvas, type Surface } from "./surface";
import { asSvg } from "./svg";

export interface Picture {
  readonly title: string;
  readonly shown: Shown;
  readonly theme: Theme;
  readonly inks: Inks & { readonly strong: string; readonly paper: string; readonly family: string };
}

const SIZE = { width: 720, height: 432 };
const SCALE = 2;
const HEAD = 46;
const FOOT = 20;
const EDGE = 16;
const TITLE_SIZE = 15;
const KEY_SIZE = 11;

/** Shorten a text to a width, so that no name of any length leaves the picture. */
function fitted(text: string, room: number, widthOf: (text: string) => number): string {
  if (widthOf(text) <= room) return text;
  const letters = [...text];
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (widthOf(`${letters.slice(0, middle).join("")}…`) <= room) low = middle;
    else high = middle - 1;
  }
  return `${letters.slice(0, low).join("")}…`;
}

/** Draw it all on a surface of `SIZE`. */
export function paintPicture(surface: Surface, { title, shown, theme, inks }: Picture): void {
  surface.box({ left: 0, top: 0, ...SIZE }, inks.paper);
  const name = fitted(title, SIZE.width - 2 * EDGE, (text) => surface.widthOf(text, TITLE_SIZE, true));
  surface.text(name, EDGE, 24, { color: inks.strong, size: TITLE_SIZE, bold: true });
  let left = EDGE;
  for (const line of shown.lines.length > 1 ? shown.lines : []) {
    const key = surface.path();
    key.moveTo(left, 38);
    key.lineTo(left + 14, 38);
    const text = fitted(line.label, 200, (part) => surface.widthOf(part, KEY_SIZE));
    const right = left + 20 + surface.widthOf(text, KEY_SIZE);
    if (right > SIZE.width - EDGE) break;
    const { color, dash } = lookOf(line, theme);
    surface.stroke(key, { color, width: 2.5, dash });
    surface.text(text, left + 20, 38, { color: inks.text, size: KEY_SIZE, at: "middle" });
    left = right + 16;
  }
  const plain = shown.lines.length > 1 ? HEAD : HEAD - 14;
  const inner = { width: SIZE.width - 2 * EDGE, height: SIZE.height - plain - FOOT };
  const layout = layOut(shown, inner, (label) => surface.widthOf(label, FONT_SIZE));
  const area = { ...layout.area, left: layout.area.left + EDGE, top: layout.area.top + plain };
  paintChart(surface, shown.lines, { ...layout, area }, inks, (line) => lookOf(line, theme));
  const named = fitted(nameOfX(shown.x), area.width, (text) => surface.widthOf(text, FONT_SIZE));
  const middle = area.left + area.width / 2;
  surface.text(named, middle, SIZE.height - 10, { color: inks.text, size: FONT_SIZE, align: "center" });
}

function canvasOf(document: Document): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.width = SIZE.width * SCALE;
  canvas.height = SIZE.height * SCALE;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.setTransform(SCALE, 0, 0, SCALE, 0, 0);
  return context;
}

/** Return the chart as the text of an SVG file. */
export function svgTextOf(picture: Picture, document: Document): string {
  const measure = onCanvas(canvasOf(document), picture.inks.family);
  const surface = asSvg(SIZE, picture.inks.family, (text, size, bold) => measure.widthOf(text, size, bold));
  paintPicture(surface, picture);
  return surface.file(`Chart of ${picture.title}`);
}

/** Return the chart as an SVG file. */
export function svgOf(picture: Picture, document: Document): Blob {
  return new Blob([svgTextOf(picture, document)], { type: "image/svg+xml" });
}

/** Return the chart as a PNG file of twice its size, for screens and slides. */
export async function pngOf(picture: Picture, document: Document): Promise<Blob> {
  const context = canvasOf(document);
  paintPicture(onCanvas(context, picture.inks.family, FINE_GRAIN), picture);
  const made = await new Promise<Blob | null>((done) => context.canvas.toBlob(done, "image/png"));
  if (!made) throw new Error("The browser could not make a picture of this chart.");
  return made;
}

/** Save a file on the reader's machine. */
export function save(file: Blob, name: string, document: Document = globalThis.document): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

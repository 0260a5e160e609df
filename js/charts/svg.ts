/** A surface that writes SVG. Pure: how wide a text is, it is told. */

import { FINE_GRAIN, type Path, type Surface } from "./surface";

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** XML has no characters of control, and no halves of pairs. */
function allowed(character: string): boolean {
  const code = character.codePointAt(0) as number;
  if (code < 0x20) return code === 9 || code === 10 || code === 13;
  return !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
}

/** Return text as it stands between tags and in quotes. */
export function escaped(text: string): string {
  const clean = Array.from(text, (one) => (allowed(one) ? one : "\ufffd")).join("");
  return clean.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

class SvgPath implements Path {
  #steps: string[] = [];

  /** What stands in the attribute `d`. */
  get data(): string {
    return this.#steps.join("");
  }

  moveTo(x: number, y: number): void {
    this.#steps.push(`M${round(x)} ${round(y)}`);
  }

  lineTo(x: number, y: number): void {
    // As on a canvas, the first one only sets where the path begins.
    this.#steps.push(`${this.#steps.length ? "L" : "M"}${round(x)} ${round(y)}`);
  }

  circle(x: number, y: number, radius: number): void {
    const [r, d] = [round(radius), round(2 * radius)];
    this.#steps.push(`M${round(x - radius)} ${round(y)}a${r} ${r} 0 1 0 ${d} 0a${r} ${r} 0 1 0 -${d} 0`);
  }
}

const ANCHORS = { left: "start", center: "middle", right: "end" } as const;
/** How far below `y` letters stand, in units of their size; as canvases have it, for usual fonts. */
const DROPS = { base: 0, middle: 0.35, top: 0.78 } as const;

export interface SvgFile extends Surface {
  /** The whole file; `title` is what a screen reader says. */
  file(title: string): string;
}

export function asSvg(
  size: { readonly width: number; readonly height: number },
  family: string,
  widthOf: Surface["widthOf"],
): SvgFile {
  const parts: string[] = [];
  const opacity = (name: string, alpha: number) => (alpha === 1 ? "" : ` ${name}-opacity="${alpha}"`);
  let clips = 0;
  return {
    grain: FINE_GRAIN,
    path: () => new SvgPath(),
    stroke(path, { color, width, alpha = 1, dash = [] }) {
      const { data } = path as SvgPath;
      if (!data) return;
      const dashes = dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : "";
      const look = `stroke="${color}" stroke-width="${width}"${opacity("stroke", alpha)}${dashes}`;
      parts.push(`<path d="${data}" fill="none" stroke-linejoin="bevel" ${look}/>`);
    },
    fill(path, color, alpha = 1) {
      const { data } = path as SvgPath;
      if (data) parts.push(`<path d="${data}" fill="${color}"${opacity("fill", alpha)}/>`);
    },
    box({ left, top, width, height }, color) {
      const place = `x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}"`;
      parts.push(`<rect ${place} fill="${color}"/>`);
    },
    text(text, x, y, { color, size: px, align = "left", at = "base", bold }) {
      const look = `fill="${color}" font-size="${px}" text-anchor="${ANCHORS[align]}"${bold ? ' font-weight="600"' : ""}`;
      parts.push(`<text x="${round(x)}" y="${round(y + DROPS[at] * px)}" ${look}>${escaped(text)}</text>`);
    },
    widthOf,
    within({ left, top, width, height }, draw) {
      const id = `clip${++clips}`;
      const place = `x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}"`;
      parts.push(`<clipPath id="${id}"><rect ${place}/></clipPath><g clip-path="url(#${id})">`);
      draw();
      parts.push("</g>");
    },
    file(title) {
      const head = `xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${size.width} ${size.height}"`;
      const box = `width="${size.width}" height="${size.height}" font-family="${escaped(family)}"`;
      return `<svg ${head} ${box}><title>${escaped(title)}</title>${parts.join("")}</svg>\n`;
    },
  };
}

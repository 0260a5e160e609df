/** What charts are drawn on: a canvas of the page, or the text of an SVG file. The same strokes make both. */

export interface Path {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  /** A full circle. */
  circle(x: number, y: number, radius: number): void;
}

export interface Stroke {
  readonly color: string;
  readonly width: number;
  readonly alpha?: number;
  readonly dash?: readonly number[];
}

export interface TextStyle {
  readonly color: string;
  readonly size: number;
  readonly align?: "left" | "center" | "right";
  /** Where `y` is: at the middle of the line, at its top, or where letters stand. */
  readonly at?: "middle" | "top" | "base";
  readonly bold?: boolean;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Surface {
  /** Points closer than this along x are not told apart. */
  readonly grain: number;
  path(): Path;
  stroke(path: Path, stroke: Stroke): void;
  fill(path: Path, color: string, alpha?: number): void;
  box(box: Box, color: string): void;
  text(text: string, x: number, y: number, style: TextStyle): void;
  widthOf(text: string, size: number, bold?: boolean): number;
  /** Draw so that nothing is seen outside of a box. */
  within(box: Box, draw: () => void): void;
}

class CanvasPath implements Path {
  readonly traced = new Path2D();

  moveTo(x: number, y: number): void {
    this.traced.moveTo(x, y);
  }

  lineTo(x: number, y: number): void {
    this.traced.lineTo(x, y);
  }

  circle(x: number, y: number, radius: number): void {
    this.traced.moveTo(x + radius, y);
    this.traced.arc(x, y, radius, 0, 2 * Math.PI);
  }
}

const BASELINES = { middle: "middle", top: "top", base: "alphabetic" } as const;

/** Of a picture that is looked at closely, and printed. */
export const FINE_GRAIN = 0.25;

/** Draw on a canvas, in CSS pixels. */
export function onCanvas(context: CanvasRenderingContext2D, family: string, grain = 1): Surface {
  const font = (size: number, bold?: boolean) => `${bold ? "600 " : ""}${size}px ${family}`;
  return {
    grain,
    path: () => new CanvasPath(),
    stroke(path, { color, width, alpha = 1, dash = [] }) {
      context.strokeStyle = color;
      context.lineWidth = width;
      context.globalAlpha = alpha;
      context.setLineDash([...dash]);
      // Round joints cost a third of the time of a jagged line, and are not seen at this width.
      context.lineJoin = "bevel";
      context.stroke((path as CanvasPath).traced);
      context.globalAlpha = 1;
    },
    fill(path, color, alpha = 1) {
      context.fillStyle = color;
      context.globalAlpha = alpha;
      context.fill((path as CanvasPath).traced);
      context.globalAlpha = 1;
    },
    box({ left, top, width, height }, color) {
      context.fillStyle = color;
      context.fillRect(left, top, width, height);
    },
    text(text, x, y, { color, size, align = "left", at = "base", bold }) {
      context.font = font(size, bold);
      context.fillStyle = color;
      context.textAlign = align;
      context.textBaseline = BASELINES[at];
      context.fillText(text, x, y);
    },
    widthOf(text, size, bold) {
      context.font = font(size, bold);
      return context.measureText(text).width;
    },
    within({ left, top, width, height }, draw) {
      context.save();
      context.beginPath();
      context.rect(left, top, width, height);
      context.clip();
      draw();
      context.restore();
    },
  };
}

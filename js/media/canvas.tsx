/** A canvas that fills its box, sharp on every screen, and drawn again when its size or its subject changes. */

import { useEffect, useRef } from "preact/hooks";
import { onCanvas, type Surface } from "../charts/surface";
import type { Size } from "./histogram_paint";

export interface CanvasProps {
  readonly class: string;
  /** What a screen reader says of it. */
  readonly label: string;
  /** The same as long as nothing that is drawn has changed. */
  readonly subject: readonly unknown[];
  draw(surface: Surface, size: Size, ink: (token: string) => string): void;
}

export function Canvas({ class: name, label, subject, draw }: CanvasProps) {
  const host = useRef<HTMLCanvasElement>(null);
  const drawn = useRef(draw);
  drawn.current = draw;
  const paint = () => {
    const canvas = host.current;
    const context = canvas?.getContext("2d");
    if (!canvas || !context || !canvas.clientWidth) return;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const scale = globalThis.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    const style = getComputedStyle(canvas);
    drawn.current(onCanvas(context, style.fontFamily), { width, height }, (token) =>
      style.getPropertyValue(token).trim(),
    );
  };
  useEffect(paint, subject);
  useEffect(() => {
    const observer = new ResizeObserver(paint);
    observer.observe(host.current as HTMLCanvasElement);
    return () => observer.disconnect();
  }, []);
  return <canvas ref={host} class={name} role="img" aria-label={label} />;
}

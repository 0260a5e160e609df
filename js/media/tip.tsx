/** What is under the pointer, beside it; never beyond the box. */

import type { ComponentChildren } from "preact";

export interface TipPlace {
  /** In pixels from the left and the top of the box. */
  readonly x: number;
  readonly y: number;
  /** Of the box. */
  readonly width: number;
}

/** Return where a pointer is within what heard of it. */
export function placeOf(event: PointerEvent & { readonly currentTarget: Element }): TipPlace & { height: number } {
  const box = event.currentTarget.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top, width: box.width, height: box.height };
}

export function Tip({ at, children }: { readonly at: TipPlace; readonly children: ComponentChildren }) {
  const right = at.x > at.width / 2;
  const side = right ? { right: `${at.width - at.x + 10}px`, left: "auto" } : { left: `${at.x + 10}px` };
  return (
    <div class="anr-tip anr-hint anr-num" style={{ top: `${Math.max(0, at.y - 12)}px`, ...side }} aria-hidden="true">
      {children}
    </div>
  );
}

/**
 * What a pointer and a wheel do over the plotting area.
 *
 * Draw: choose a stretch. Shift and draw, or shift and wheel: move. Ctrl (or ⌘) and wheel, or two fingers: closer or
 * further off. Two clicks: all. A wheel alone scrolls the page, as everywhere.
 */

export interface GestureEvents {
  /** The pointer is at so many pixels; null: it left. */
  pointed(pixel: number | null): void;
  /** Chosen from pixel to pixel. */
  chosen(from: number, to: number): void;
  /** Moved by a share of the width since `begin`. */
  moved(share: number): void;
  /** `factor` times as much is to be seen, around a pixel. */
  scaled(factor: number, pixel: number): void;
  /** A movement begins: what follows counts from here. */
  begin(): void;
  reset(): void;
}

/** A shorter drag is a click that slipped. */
const LEAST_DRAG = 5;
const PER_WHEEL_PIXEL = 0.0025;
const LINE_PIXELS = 16;

type Drag = { readonly from: number; readonly does: "choose" | "move" };

export class Gestures {
  readonly #over: HTMLElement;
  readonly #selection: HTMLElement;
  readonly #events: GestureEvents;
  readonly #fingers = new Map<number, number>();
  #drag: Drag | null = null;
  #apart = 0;

  constructor(over: HTMLElement, events: GestureEvents, signal: AbortSignal) {
    this.#over = over;
    this.#events = events;
    this.#selection = over.ownerDocument.createElement("div");
    this.#selection.className = "anr-selection";
    this.#selection.hidden = true;
    over.append(this.#selection);
    const on = <K extends keyof HTMLElementEventMap>(type: K, heard: (event: HTMLElementEventMap[K]) => void) =>
      over.addEventListener(type, heard, { signal, passive: false });
    on("pointerdown", (event) => this.#pressed(event));
    on("pointermove", (event) => this.#pointed(event));
    on("pointerup", (event) => this.#released(event));
    on("pointercancel", (event) => this.#lost(event));
    on("pointerleave", () => this.#drag === null && events.pointed(null));
    on("dblclick", () => events.reset());
    on("wheel", (event) => this.#wheeled(event));
  }

  #pixel({ clientX }: MouseEvent): number {
    const { left, width } = this.#over.getBoundingClientRect();
    return Math.min(width, Math.max(0, clientX - left));
  }

  #pressed(event: PointerEvent): void {
    if (event.button !== 0) return;
    const pixel = this.#pixel(event);
    if (event.pointerType === "touch") {
      this.#fingers.set(event.pointerId, pixel);
      this.#apart = this.#distance();
      if (this.#fingers.size === 2) this.#events.begin();
      return;
    }
    this.#over.setPointerCapture(event.pointerId);
    this.#drag = { from: pixel, does: event.shiftKey ? "move" : "choose" };
    this.#over.dataset.drag = this.#drag.does;
    this.#events.begin();
  }

  #distance(): number {
    const [a, b] = [...this.#fingers.values()];
    return a === undefined || b === undefined ? 0 : Math.abs(a - b);
  }

  #pointed(event: PointerEvent): void {
    const pixel = this.#pixel(event);
    if (this.#fingers.has(event.pointerId)) {
      this.#fingers.set(event.pointerId, pixel);
      if (this.#fingers.size === 2) this.#pinched();
    }
    this.#events.pointed(pixel);
    if (!this.#drag) return;
    if (this.#drag.does === "move") {
      this.#events.moved((this.#drag.from - pixel) / this.#over.clientWidth);
      return;
    }
    const [from, to] = [Math.min(pixel, this.#drag.from), Math.max(pixel, this.#drag.from)];
    this.#selection.hidden = to - from < LEAST_DRAG;
    this.#selection.style.transform = `translateX(${from}px)`;
    this.#selection.style.width = `${to - from}px`;
  }

  #pinched(): void {
    const apart = this.#distance();
    if (apart < LEAST_DRAG || this.#apart < LEAST_DRAG) return;
    const [a, b] = [...this.#fingers.values()] as [number, number];
    this.#events.scaled(this.#apart / apart, (a + b) / 2);
    this.#apart = apart;
  }

  #released(event: PointerEvent): void {
    const drag = this.#drag;
    const to = this.#pixel(event);
    this.#lost(event);
    if (drag?.does === "choose" && Math.abs(to - drag.from) >= LEAST_DRAG) this.#events.chosen(drag.from, to);
  }

  #lost({ pointerId }: PointerEvent): void {
    this.#fingers.delete(pointerId);
    this.#drag = null;
    this.#selection.hidden = true;
    delete this.#over.dataset.drag;
  }

  #wheeled(event: WheelEvent): void {
    const zooms = event.ctrlKey || event.metaKey;
    if (!zooms && !event.shiftKey) return;
    event.preventDefault();
    const unit = event.deltaMode === event.DOM_DELTA_LINE ? LINE_PIXELS : 1;
    // Some browsers turn a wheel with shift sideways themselves.
    const by = (event.deltaY || event.deltaX) * unit;
    if (zooms) this.#events.scaled(Math.exp(by * PER_WHEEL_PIXEL), this.#pixel(event));
    else {
      this.#events.begin();
      this.#events.moved(by / this.#over.clientWidth);
    }
  }
}

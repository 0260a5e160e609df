/**
 * Where on the page a run is shown.
 *
 * A cell has two outputs: a static snapshot, which is what a saved notebook keeps, and the widget. The
 * view takes the snapshot's place and hides it. It does not stand inside the widget's own output, since
 * the kernel takes that away when the run ends and the view is to stay; it goes when the snapshot goes,
 * that is when the cell is cleared or run again.
 *
 * marimo keeps the widget's element in a shadow tree; there both stand in an element of the class
 * `anonrun-output`, and the view brings the tree's styles along.
 *
 * Where there are no such outputs (VS Code, Colab) it stands in the widget's element, and goes with it.
 */

/** What fills a root element and empties it again. */
export interface Fill {
  show(root: HTMLElement): void;
  clear(root: HTMLElement): void;
}

const CHILD = ".jp-OutputArea-child";
/** What `marimo_outputs.py` puts around snapshot and widget. */
const OUTPUT = ".anonrun-output";
/** An update of the snapshot takes it away and puts it back. */
const GRACE_MS = 1_500;
const MOST_FRAMES = 300;

/** Roots by output area and run, so that a widget displayed twice in one cell is shown once. */
const PAGE = globalThis as { __anonrun_areas?: WeakMap<Element, Map<string, BesideSnapshot>> };
PAGE.__anonrun_areas ??= new WeakMap();
const areas = PAGE.__anonrun_areas;

function snapshotIn(scope: ParentNode, runId: string): HTMLElement | null {
  return scope.querySelector<HTMLElement>(`.anonrun-snapshot[data-run-id="${CSS.escape(runId)}"]`);
}

/** An empty output of the same make as those around it, so that a notebook's style sets it in line with them. */
function outputLike(document: Document): { child: HTMLElement; output: HTMLElement } {
  const child = document.createElement("div");
  child.className = "jp-OutputArea-child anr-output";
  const prompt = document.createElement("div");
  prompt.className = "jp-OutputPrompt jp-OutputArea-prompt";
  const output = document.createElement("div");
  output.className = "jp-OutputArea-output";
  child.append(prompt, output);
  return { child, output };
}

/** An element for the view outside of the shadow tree `inner`, in which the same styles hold. */
function treeLike(inner: ShadowRoot): { child: HTMLElement; output: HTMLElement } {
  const document = inner.ownerDocument;
  const child = document.createElement("div");
  const output = document.createElement("div");
  const tree = child.attachShadow({ mode: "open" });
  tree.adoptedStyleSheets = [...inner.adoptedStyleSheets];
  const styles = [...inner.querySelectorAll("style, link[rel=stylesheet]")].map((style) => style.cloneNode(true));
  tree.append(...styles, output);
  return { child, output };
}

/** The element that stands for `el` outside of all shadow trees. */
function inDocument(el: HTMLElement): Element {
  let outer: Element = el;
  for (let root = el.getRootNode(); root instanceof ShadowRoot; root = outer.getRootNode()) outer = root.host;
  return outer;
}

/** The output that is the widget's own, and the area in which it stands; null where there is no such area. */
function outputOf(el: HTMLElement): { own: HTMLElement; area: HTMLElement } | null {
  const outer = inDocument(el);
  const area = outer.closest<HTMLElement>(OUTPUT) ?? outer.closest<HTMLElement>(CHILD)?.parentElement;
  const own = [...(area?.children ?? [])].find((child) => child.contains(outer));
  return area && own ? { own: own as HTMLElement, area } : null;
}

class BesideSnapshot {
  readonly #area: HTMLElement;
  readonly #runId: string;
  readonly #fill: Fill;
  readonly #root: HTMLElement;
  readonly #child: HTMLElement;
  readonly #observer: MutationObserver;
  #hidden: HTMLElement | null = null;
  #going: ReturnType<typeof setTimeout> | undefined;

  constructor(area: HTMLElement, runId: string, fill: Fill, inner: Node) {
    this.#area = area;
    this.#runId = runId;
    this.#fill = fill;
    const { child, output } = inner instanceof ShadowRoot ? treeLike(inner) : outputLike(area.ownerDocument);
    this.#child = child;
    this.#root = output.appendChild(area.ownerDocument.createElement("div"));
    this.#observer = new MutationObserver(() => this.#settle());
    this.#settle();
    fill.show(this.#root);
  }

  /** Stand in the place of the snapshot, wherever that is now. */
  #settle(): void {
    const snapshot = snapshotIn(this.#area, this.#runId);
    const child = snapshot?.closest<HTMLElement>(CHILD) ?? snapshot;
    if (!child || child.parentElement !== this.#area) {
      this.#going ??= setTimeout(() => this.#leave(), GRACE_MS);
      return;
    }
    clearTimeout(this.#going);
    this.#going = undefined;
    if (child.nextElementSibling !== this.#child) child.after(this.#child);
    if (this.#hidden === child) return;
    this.#show();
    this.#hidden = child;
    child.style.display = "none";
    // The area tells of outputs that come and go, the child of a snapshot that is drawn anew inside it.
    this.#observer.disconnect();
    this.#observer.observe(this.#area, { childList: true });
    this.#observer.observe(child, { childList: true, subtree: true });
  }

  #show(): void {
    if (this.#hidden) this.#hidden.style.display = "";
  }

  #leave(): void {
    this.#observer.disconnect();
    this.#show();
    this.#fill.clear(this.#root);
    this.#child.remove();
    areas.get(this.#area)?.delete(this.#runId);
  }
}

function besideSnapshot(area: HTMLElement, runId: string, fill: Fill, inner: Node): void {
  const held = areas.get(area) ?? new Map<string, BesideSnapshot>();
  areas.set(area, held);
  if (!held.has(runId)) held.set(runId, new BesideSnapshot(area, runId, fill, inner));
}

/** Show the run in the widget's own element, and hide a snapshot near it while it is there. */
function inside(el: HTMLElement, runId: string, fill: Fill): () => void {
  const root = el.appendChild(el.ownerDocument.createElement("div"));
  const snapshot = snapshotIn(el.getRootNode() as ParentNode & Node, runId);
  const beside = snapshot?.closest(CHILD) ? null : snapshot;
  if (beside) beside.style.display = "none";
  fill.show(root);
  return () => {
    fill.clear(root);
    root.remove();
    if (beside) beside.style.display = "";
  };
}

/** Call `then` when `el` is part of the page; widgets are rendered before they are put there. */
function whenConnected(el: HTMLElement, then: () => void): () => void {
  let frames = 0;
  let waiting = 0;
  const look = () => {
    if (el.isConnected || ++frames > MOST_FRAMES) then();
    else waiting = requestAnimationFrame(look);
  };
  look();
  return () => cancelAnimationFrame(waiting);
}

/** Show a run for the widget whose element is `el`; returns what to do when the widget's view goes. */
export function place(el: HTMLElement, runId: string, fill: Fill): () => void {
  let leave: () => void = () => undefined;
  const stop = whenConnected(el, () => {
    const found = outputOf(el);
    if (found && snapshotIn(found.area, runId)) {
      found.own.style.display = "none";
      besideSnapshot(found.area, runId, fill, el.getRootNode());
    } else leave = inside(el, runId, fill);
  });
  return () => {
    stop();
    leave();
  };
}

// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Fill, place } from "./placement";

const RUN = "0192-run";
const shown: HTMLElement[] = [];
const fill: Fill = {
  show(root) {
    root.textContent = "LIVE";
    shown.push(root);
  },
  clear(root) {
    root.textContent = "";
    shown.splice(shown.indexOf(root), 1);
  },
};

function output(html: string): HTMLElement {
  const child = document.createElement("div");
  child.className = "jp-OutputArea-child";
  child.innerHTML = `<div class="jp-OutputArea-output">${html}</div>`;
  return child;
}
const snapshot = (text = "picture") => output(`<div class="anonrun-snapshot" data-run-id="${RUN}">${text}</div>`);

/** A cell's outputs as JupyterLab has them: the snapshot, the widget, and what was printed. */
function cell() {
  const area = document.createElement("div");
  area.className = "jp-OutputArea";
  const [picture, widget, printed] = [snapshot(), output('<div class="el"></div>'), output("printed")];
  area.append(picture, widget, printed);
  document.body.append(area);
  return { area, picture, widget, printed, el: widget.querySelector(".el") as HTMLElement };
}

/** What a reader sees, from top to bottom. */
function seen(area: HTMLElement): string[] {
  return [...area.children]
    .filter((one) => (one as HTMLElement).style.display !== "none")
    .map((one) => one.textContent ?? "");
}

/** Let observers hear of what happened. */
const settle = () => new Promise((resolve) => queueMicrotask(() => resolve(null)));

beforeEach(() => {
  vi.stubGlobal("CSS", { escape: (text: string) => text.replace(/"/g, '\\"') });
});
// jsdom has none.
Object.defineProperty(ShadowRoot.prototype, "adoptedStyleSheets", { value: [], writable: true, configurable: true });
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.innerHTML = "";
  shown.length = 0;
});

test("the view takes the snapshot's place, above what is printed", () => {
  const { area, el } = cell();
  place(el, RUN, fill);
  expect(seen(area)).toEqual(["LIVE", "printed"]);
});

test("the view stays when the kernel takes its widget away", async () => {
  const { area, el, widget } = cell();
  const leave = place(el, RUN, fill);
  leave();
  widget.replaceWith(output(""));
  await settle();
  expect(seen(area)[0]).toBe("LIVE");
});

test("a snapshot that is drawn anew is hidden again", async () => {
  vi.useFakeTimers();
  const { area, el, picture } = cell();
  place(el, RUN, fill);
  picture.remove();
  await settle();
  area.prepend(snapshot("final"));
  await settle();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(seen(area)).toEqual(["LIVE", "printed"]);
});

test("a snapshot that is drawn anew inside its output stays hidden", async () => {
  vi.useFakeTimers();
  const { area, el, picture } = cell();
  place(el, RUN, fill);
  picture.innerHTML = snapshot("final").innerHTML;
  await settle();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(seen(area)).toEqual(["LIVE", "printed"]);
});

test("the view goes when the cell is cleared", async () => {
  vi.useFakeTimers();
  const { area, el } = cell();
  place(el, RUN, fill);
  for (const child of [...area.querySelectorAll(".jp-OutputArea-child:not(.anr-output)")]) child.remove();
  await settle();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(shown).toEqual([]);
  expect(area.children).toHaveLength(0);
});

test("a notebook that puts a cell off the screen and back keeps its view", async () => {
  vi.useFakeTimers();
  const { area, el } = cell();
  place(el, RUN, fill);
  area.remove();
  await vi.advanceTimersByTimeAsync(60_000);
  document.body.append(area);
  await settle();
  expect(seen(area)).toEqual(["LIVE", "printed"]);
});

test("a widget displayed twice in one cell is shown once", () => {
  const { area, el } = cell();
  const again = output('<div class="el"></div>');
  area.append(again);
  place(el, RUN, fill);
  place(again.querySelector(".el") as HTMLElement, RUN, fill);
  expect(seen(area)).toEqual(["LIVE", "printed"]);
});

test("another run's snapshot is left alone", () => {
  const { area, el } = cell();
  place(el, "other", fill);
  expect(seen(area)).toEqual(["picture", "LIVE", "printed"]);
});

test("where outputs have no such form, the view stands in the widget and goes with it", () => {
  document.body.innerHTML = `<div class="anonrun-snapshot" data-run-id="${RUN}">picture</div><div class="el"></div>`;
  const [picture, el] = [...document.body.children] as [HTMLElement, HTMLElement];
  const leave = place(el, RUN, fill);
  expect([picture.style.display, el.textContent]).toEqual(["none", "LIVE"]);
  leave();
  expect([picture.style.display, el.textContent, shown]).toEqual(["", "", []]);
});

/** An output as marimo has it: the snapshot, and the widget in a shadow tree with its styles. */
function marimoCell() {
  document.body.innerHTML = `<div class="anonrun-output"><div class="anonrun-snapshot" data-run-id="${RUN}">picture</div>
    <marimo-ui-element><marimo-anywidget></marimo-anywidget></marimo-ui-element></div>`;
  const area = document.body.firstElementChild as HTMLElement;
  const [picture, widget] = [...area.children] as [HTMLElement, HTMLElement];
  const tree = (widget.firstElementChild as HTMLElement).attachShadow({ mode: "open" });
  tree.innerHTML = '<style>.anr { color: red }</style><div class="el"></div>';
  return { area, picture, widget, el: tree.querySelector(".el") as HTMLElement };
}
/** What a reader of it sees. */
const seenInMarimo = (area: HTMLElement) =>
  [...area.children]
    .filter((one) => (one as HTMLElement).style.display !== "none")
    .map((one) => one.shadowRoot?.querySelector("div")?.textContent || one.textContent?.trim());

test("in marimo the view takes the snapshot's place with its styles, and outlives the widget", async () => {
  const { area, picture, widget, el } = marimoCell();
  const leave = place(el, RUN, fill);
  expect(seenInMarimo(area)).toEqual(["LIVE"]);
  const drawnIn = shown.map((root) => root.getRootNode() as ShadowRoot);
  expect(drawnIn.map((tree) => tree.querySelector("style")?.textContent)).toEqual([".anr { color: red }"]);
  leave();
  widget.remove();
  picture.innerHTML = "final";
  await settle();
  expect(seenInMarimo(area)).toEqual(["LIVE"]);
});

test("in marimo the view goes when the cell runs again", async () => {
  vi.useFakeTimers();
  const { area, picture, widget, el } = marimoCell();
  place(el, RUN, fill);
  picture.remove();
  widget.remove();
  await settle();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(shown).toEqual([]);
  expect(area.children).toHaveLength(0);
});

test("a widget that is put on the page later is shown then", async () => {
  const { area, el, widget } = cell();
  widget.remove();
  place(el, RUN, fill);
  expect(shown).toEqual([]);
  area.append(widget);
  await vi.waitFor(() => expect(seen(area)).toEqual(["LIVE", "printed"]));
});

// @vitest-environment jsdom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { frameOf } from "../api/encode.testing";
import { ChartPlot, type ChartPlotProps } from "./chart_plot";
import { History } from "./history";
import { type Line, lineOf, type Range } from "./lines";
import { DEFAULT_OPTIONS } from "./options";
import { Plot } from "./plot";

const STEPS = Array.from({ length: 101 }, (_, i) => i);

function line(): Line {
  const history = new History();
  history.append([frameOf("loss", STEPS, STEPS)]);
  const series = history.series.get("loss");
  if (!series) throw new Error("no series");
  return lineOf(series, { index: 0, label: "loss" }, 0, { x: "step", start: 0 });
}

const STATE = { lines: [line()], theme: "light", x: "step", xScale: "linear", y: "linear", robust: false } as const;

/** A page without a canvas: what is painted goes nowhere. */
beforeEach(() => {
  const nowhere = new Proxy({}, { get: () => () => ({ width: 20 }), set: () => true });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(nowhere as CanvasRenderingContext2D);
  vi.stubGlobal(
    "Path2D",
    class {
      moveTo() {}
      lineTo() {}
      arc() {}
    },
  );
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
  for (const [side, pixels] of [
    ["clientWidth", 400],
    ["clientHeight", 140],
  ] as const) {
    vi.spyOn(HTMLElement.prototype, side, "get").mockReturnValue(pixels);
  }
});
afterEach(() => vi.unstubAllGlobals());

const press = (plot: Plot, key: string, shiftKey = false) => plot.key({ key, shiftKey });

test("keys count each, however many come before the page draws again", () => {
  const said: string[] = [];
  const zooms: (Range | null)[] = [];
  const heard = {
    zoomed: (range: Range | null) => zooms.push(range),
    hovered: () => undefined,
    named: (x: number) => `step ${x}`,
    said: (text: string) => said.push(text),
  };
  const plot = new Plot(document.createElement("div"), { ...STATE, zoom: null }, heard, "a", "");
  for (const key of ["ArrowLeft", "ArrowLeft", "ArrowLeft"]) press(plot, key);
  expect(said.at(-1)).toContain("step 98");
  plot.leave();

  press(plot, "+");
  press(plot, "+");
  expect(zooms).toEqual([
    { low: 25, high: 75 },
    { low: 37.5, high: 62.5 },
  ]);
  plot.update({ ...STATE, zoom: zooms.at(-1) ?? null });
  press(plot, "ArrowRight", true);
  press(plot, "ArrowRight", true);
  expect(zooms.at(-1)).toEqual({ low: 50, high: 75 });

  press(plot, "0");
  press(plot, "+");
  expect(zooms.slice(-2)).toEqual([null, { low: 25, high: 75 }]);
  plot.destroy();
});

test("all of a run that grows is all there is now, and not what was all before", () => {
  const zooms: (Range | null)[] = [];
  const heard = { zoomed: (range: Range | null) => zooms.push(range), hovered() {}, named: String, said() {} };
  const short = { ...line(), length: 51, x: line().x.slice(0, 51), y: line().y.slice(0, 51) };
  const plot = new Plot(document.createElement("div"), { ...STATE, lines: [short], zoom: null }, heard, "b", "");
  press(plot, "0");
  plot.update({ ...STATE, zoom: null });
  press(plot, "+");
  expect(zooms).toEqual([null, { low: 25, high: 75 }]);
  plot.destroy();
});

test("keys that come before a chart is drawn are not lost", async () => {
  const said: string[] = [];
  const host = document.createElement("div");
  const props: ChartPlotProps = {
    title: "loss",
    lines: STATE.lines,
    options: { ...DEFAULT_OPTIONS, smoothing: 0 },
    theme: "light",
    zoom: null,
    syncKey: "c",
    visible: false,
    label: "",
    onZoom: () => undefined,
    onSay: (text) => said.push(text),
  };
  await act(() => render(<ChartPlot {...props} />, host));
  for (const key of ["ArrowLeft", "ArrowLeft", "x"]) {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    host.firstElementChild?.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(key !== "x");
  }
  await act(() => render(<ChartPlot {...props} visible />, host));
  expect(said.at(-1)).toContain("step 99");
  render(null, host);
});

// @vitest-environment jsdom
import fc from "fast-check";
import { expect, test } from "vitest";
import { frameOf } from "../api/encode.testing";
import { History } from "./history";
import { lineOf } from "./lines";
import { paintPicture } from "./picture";
import { asSvg } from "./svg";

const INKS = { text: "#555", grid: "#ddd", alarm: "#c00", strong: "#111", paper: "#fff", family: "sans-serif" };

function svg(title: string, label: string, values: number[], changes: object = {}): string {
  const history = new History();
  history.append([
    frameOf(
      "m",
      values.map((_, i) => i),
      values,
    ),
  ]);
  const series = history.series.get("m");
  const line = series && lineOf(series, { index: 0, label }, 0.5, { x: "step", start: 0 });
  const lines = line ? [line, { ...line, index: 1 }] : [];
  const surface = asSvg({ width: 720, height: 432 }, "sans-serif", (text, size) => text.length * size * 0.6);
  const shown = { lines, x: "step", xScale: "linear", y: "linear", robust: false, zoom: null, ...changes } as const;
  paintPicture(surface, { title, shown, theme: "light", inks: INKS });
  return surface.file(title);
}

function parsed(text: string): Document {
  const document = new DOMParser().parseFromString(text, "image/svg+xml");
  expect(document.querySelector("parsererror")).toBeNull();
  return document;
}

test("a chart's SVG is well formed, says its title, and has a line for each metric", () => {
  const document = parsed(svg("loss", "train", [3, 2, 1]));
  expect(document.querySelector("title")?.textContent).toBe("loss");
  expect(document.querySelectorAll("path").length).toBeGreaterThanOrEqual(4);
  expect([...document.querySelectorAll("text")].map((one) => one.textContent)).toContain("step");
});

test("whatever stands in a name is text in the file, and the file is well formed", () => {
  const evil = "<script>alert(1)</script>&\"'";
  const document = parsed(svg(evil, evil, [1, 2]));
  expect(document.querySelector("script")).toBeNull();
  expect(document.querySelector("title")?.textContent).toBe(evil);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (name) => {
      parsed(svg(name, name, [1, 2]));
    }),
    { numRuns: 40 },
  );
}, 30_000);

test.each([
  ["no points", []],
  ["one", [1]],
  ["a constant", [2, 2, 2]],
  ["the ends of doubles", [1.7e308, -1.7e308]],
  ["nothing but NaN", [Number.NaN, Number.NaN]],
  ["nothing above 0 on logarithmic axes", [-1, 0]],
])("%s: no number in the file is NaN or infinite", (_, values) => {
  for (const changes of [{}, { y: "log", xScale: "log" }, { robust: true }]) {
    const document = parsed(svg("m", "m", values, changes));
    for (const element of document.querySelectorAll("path, rect, text")) {
      for (const name of ["d", "x", "y", "width", "height"]) {
        expect(element.getAttribute(name) ?? "").not.toMatch(/NaN|Infinity/);
      }
    }
  }
});

test("a name of four thousand letters stays inside of the picture", () => {
  const document = parsed(svg("x".repeat(4000), "y".repeat(4000), [1, 2]));
  for (const text of document.querySelectorAll("text")) expect((text.textContent ?? "").length).toBeLessThan(200);
});

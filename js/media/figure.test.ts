import { expect, test } from "vitest";
import { factsOf, figureIn, missingTypes, themedLayout, titleOf } from "./figure";

const INKS = { text: "#111", dim: "#222", grid: "#333", background: "#fff", alarm: "#f00", font: "sans" };
const read = (said: object) => {
  const figure = figureIn(JSON.stringify(said));
  if (!figure) throw new Error("no figure");
  return figure;
};

test("a content that is no figure is told", () => {
  for (const bad of ["", "{}", '{"data": [1]}', '{"data": {}}']) expect(figureIn(bad)).toBeNull();
});

test("links in texts are text, and pictures from elsewhere are left out", () => {
  const figure = read({
    data: [{ type: "bar", text: ['<b style="fill:url(//evil.example)">x</b> <a href="https://evil.example">y</a>'] }],
    layout: {
      title: { text: "<A HREF=javascript:alert(1)>t</A>" },
      images: [{ source: "https://evil.example/a.png" }, { source: "data:image/svg+xml;base64,AA" }],
    },
  });
  expect(figure.data[0]?.text).toEqual(["<b>x</b> y"]);
  expect(titleOf(figure)).toBe("t");
  expect(figure.layout.images).toEqual([]);
});

test("types that have another name for speed are drawn as what they are; others are named", () => {
  expect(missingTypes(read({ data: [{ type: "scattergl" }, {}, { type: "pie" }] }))).toEqual([]);
  expect(missingTypes(read({ data: [{ type: "surface" }, { type: "sankey" }, { type: "surface" }] }))).toEqual([
    "surface",
    "sankey",
  ]);
});

test("the page's theme takes the place of the figure's, and its own axes stay", () => {
  const said = {
    data: [],
    layout: {
      template: { layout: { paper_bgcolor: "white" } },
      paper_bgcolor: "white",
      xaxis: { type: "log" },
      width: 9000,
    },
  };
  const layout = themedLayout(read(said), INKS, "dark") as Record<string, unknown>;
  expect(layout.paper_bgcolor).toBe("rgba(0,0,0,0)");
  expect(layout.xaxis).toEqual({ type: "log" });
  expect(layout.width).toBeUndefined();
  expect((layout.template as { layout: { font: object } }).layout.font).toEqual({
    family: "sans",
    size: 12,
    color: "#222",
  });
});

test("traces are told in words", () => {
  expect(
    factsOf(
      read({
        data: [
          { name: "a", y: [1, 2] },
          { type: "pie", values: [3] },
        ],
      }),
    ),
  ).toEqual([
    { name: "a", type: "scatter", points: 2 },
    { name: "trace 2", type: "pie", points: 1 },
  ]);
});

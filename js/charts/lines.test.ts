import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { frameOf } from "../api/encode.testing";
import { History } from "./history";
import { type Line, lineOf, magnitude, nearest, notPositive, xRange, yRange } from "./lines";
import { layoutOf, tracesOf } from "./plotly";
import { sparkPath } from "./sparkline";
import { rowsOf } from "./table";

const STEP = { smoothing: 0, x: "step" } as const;

function lineFrom(
  steps: number[],
  values: number[],
  options: { smoothing: number; x: "step" | "relative" | "wall" } = STEP,
  times?: number[],
): Line {
  const history = new History();
  history.append([frameOf("loss", steps, values, times)]);
  const series = history.series.get("loss");
  if (!series) throw new Error("no series");
  return lineOf(series, { index: 0, label: "loss" }, options, 1e9);
}

const all = (line: Line) => xRange([line]) ?? { low: 0, high: 0 };

describe("a line", () => {
  test("stands at steps, at seconds since the start, or at instants", () => {
    expect([...lineFrom([3, 4], [1, 2]).x]).toEqual([3, 4]);
    expect([...lineFrom([3, 4], [1, 2], { ...STEP, x: "relative" }).x]).toEqual([3, 4]);
    expect([...lineFrom([3, 4], [1, 2], { ...STEP, x: "wall" }).x]).toEqual([1e9 + 3, 1e9 + 4]);
  });

  test("rises along x also where the clock went back", () => {
    const line = lineFrom([0, 1, 2], [5, 6, 7], { ...STEP, x: "wall" }, [30, 10, 20]);
    expect([...line.x]).toEqual([10, 20, 30]);
    expect([...line.y]).toEqual([6, 7, 5]);
  });

  test("that is clean is not smoothed, one that is noisy is", () => {
    const steps = Array.from({ length: 60 }, (_, i) => i);
    const options = { ...STEP, smoothing: 0.8 };
    expect(lineFrom(steps, steps, options).smoothed).toBeNull();
    const noisy = lineFrom(
      steps,
      steps.map((i) => (i % 2 ? 1 : -1)),
      options,
    );
    expect(noisy.smoothed).toHaveLength(60);
    expect(noisy.end?.y).toBe(noisy.smoothed?.at(-1));
  });

  test("ends where its largest step is", () => {
    expect(lineFrom([0, 9, 4], [1, 2, 3]).end).toEqual({ x: 9, y: 2 });
  });
});

describe("the range", () => {
  test.each<[string, number[]]>([
    ["one point", [5]],
    ["a constant", [3, 3, 3]],
    ["zeros", [0, 0]],
    ["a negative constant", [-2, -2]],
    ["the smallest number", [5e-324]],
  ])("of %s has room on both sides", (_, values) => {
    const line = lineFrom(
      values.map((_v, i) => i),
      values,
    );
    const y = yRange([line], all(line), (value) => value);
    expect(y?.low).toBeLessThan(values[0] as number);
    expect(y?.high).toBeGreaterThan(values[0] as number);
    const x = all(line);
    expect(x.high).toBeGreaterThan(x.low);
  });

  test("of nothing, and of nothing but NaN, is none", () => {
    expect(xRange([])).toBeNull();
    const line = lineFrom([1, 2], [Number.NaN, Number.NaN]);
    expect(yRange([line], all(line), (value) => value)).toBeNull();
    expect(xRange([line])).not.toBeNull();
  });

  test("covers every value in sight and no other", () => {
    const line = lineFrom([0, 1, 2, 3], [100, 1, 2, -100]);
    const y = yRange([line], { low: 0.5, high: 2.5 }, (value) => value);
    expect(y?.low).toBeGreaterThan(0.9);
    expect(y?.high).toBeLessThan(2.1);
  });

  test("of extremes is finite once it is measured in the axis's unit", () => {
    const line = lineFrom([0, 1], [1.7e308, -1.7e308]);
    expect(magnitude([line])).toBe(1.7e308);
    const y = yRange([line], all(line), (value) => value / 1e308);
    expect(Number.isFinite((y?.high as number) - (y?.low as number))).toBe(true);
  });

  test("leaves out what a logarithmic axis cannot show, and says how much that is", () => {
    const line = lineFrom([0, 1, 2], [0, -1, 10]);
    const place = (value: number) => (value > 0 ? Math.log10(value) : Number.NaN);
    const y = yRange([line], all(line), place);
    expect(y?.low).toBeGreaterThan(0.8);
    expect(notPositive([line])).toBe(2);
  });
});

test("the nearest entry is the nearest", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1 }),
      fc.integer({ min: -10, max: 110 }),
      (xs, at) => {
        const sorted = Float64Array.from(xs.sort((a, b) => a - b));
        const found = sorted[nearest({ x: sorted, length: sorted.length }, at)] as number;
        expect(Math.abs(found - at)).toBe(Math.min(...xs.map((x) => Math.abs(x - at))));
      },
    ),
  );
  expect(nearest({ x: new Float64Array(), length: 0 }, 1)).toBe(-1);
});

describe("a server's reduced series", () => {
  const history = new History();
  history.replaceSampled({
    position: 3,
    damaged: 0,
    metrics: {
      loss: {
        ...{ total: 7, step: [0, 4, 6], time: [1, 2, 3], count: [4, 2, 1] },
        ...{ min: [1, -5, null], max: [9, "Infinity", null], first: [2, "Infinity", "NaN"], last: [3, -5, "NaN"] },
        x: [],
      },
    },
  });
  const series = history.series.get("loss");

  test("keeps extremes, and what is not finite apart", () => {
    const columns = series?.columns();
    expect([...(columns?.low ?? [])]).toEqual([1, -5]);
    expect([...(columns?.high ?? [])]).toEqual([9, -5]);
    expect(series?.marks.map(({ kind }) => kind)).toEqual(["NaN"]);
    expect(series?.total).toBe(7);
  });

  test("goes on with live points", () => {
    history.append([frameOf("loss", [7, 8], [0, 0])]);
    expect(series?.tail?.step).toBe(8);
  });
});

describe("plotly", () => {
  const hostile = "<a href='javascript:alert(1)'>x</a>&amp;";

  test("gets names as text and never as markup", () => {
    const line = { ...lineFrom([0, 1], [1, 2]), label: hostile };
    const text = JSON.stringify(tracesOf([line], { x: "step" }, "light"));
    expect(text).not.toContain("<a");
    expect(text).toContain("&lt;a");
    expect(text).toContain("&amp;amp;");
  });

  test("draws no line across what was no number", () => {
    const [trace] = tracesOf([lineFrom([0, 1, 2], [1, Number.NaN, 3])], { x: "step" }, "dark") as {
      x: number[];
      y: (number | null)[];
    }[];
    expect(trace).toMatchObject({ x: [0, 2, 2], y: [1, null, 3] });
  });

  test("is told where values were no numbers", () => {
    const inks = { text: "", dim: "", grid: "", background: "", alarm: "red", font: "" };
    const lines = [lineFrom([0, 1], [1, Number.NEGATIVE_INFINITY])];
    expect(layoutOf(lines, { x: "step", y: "linear" }, inks)).toMatchObject({
      shapes: [{ x0: 1, x1: 1 }],
      annotations: [{ text: "-Inf" }],
    });
  });
});

test("the table has the newest rows first, with a gap where a metric has no value", () => {
  const [train, val] = [lineFrom([0, 1, 2], [5, 6, 7]), lineFrom([1], [9])];
  expect(rowsOf([train, val], 2)).toEqual([
    { x: 2, values: [7, null] },
    { x: 1, values: [6, 9] },
  ]);
});

test.each<[string, number[], string]>([
  ["a rise", [0, 1], "M0.0 10.0L20.0 0.0"],
  ["a constant", [3, 3], "M0.0 5.0L20.0 5.0"],
  ["a gap", [0, Number.NaN, 1], "M0.0 10.0L20.0 0.0"],
  ["extremes", [-1e308, 1e308], "M0.0 10.0L20.0 0.0"],
  ["one value", [4], "M20.0 5.0"],
  ["nothing", [], ""],
])("a sparkline of %s", (_, values, path) => {
  expect(sparkPath(values, 20, 10)).toBe(path);
});

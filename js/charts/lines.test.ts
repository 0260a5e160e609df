import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { frameOf } from "../api/encode.testing";
import { History } from "./history";
import { type Line, lineOf, magnitude, nearest, notPositive, robustRange, xRange, yRange } from "./lines";
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
  return lineOf(series, { index: 0, label: "loss" }, options.smoothing, { x: options.x, start: 1e9 });
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

  test("stands at the value of another metric at the same step, and nowhere else", () => {
    const history = new History();
    history.append([frameOf("loss", [0, 1, 2, 3], [5, 6, 7, 8]), frameOf("lr", [0, 1, 3], [0.3, 0.2, 0.1])]);
    const [loss, lr] = [history.series.get("loss"), history.series.get("lr")];
    const line = loss && lineOf(loss, { index: 0, label: "loss" }, 0, { x: "metric:lr", start: 0, across: lr });
    expect([...(line?.x ?? [])]).toEqual([0.1, 0.2, 0.3]);
    expect([...(line?.y ?? [])]).toEqual([8, 6, 5]);
    expect(line?.end).toEqual({ x: 0.1, y: 8 });
    const nowhere = loss && lineOf(loss, { index: 0, label: "loss" }, 0, { x: "metric:gone", start: 0 });
    expect(nowhere).toMatchObject({ length: 0, end: null });
  });

  test("ends where its largest step is", () => {
    expect(lineFrom([0, 9, 4], [1, 2, 3]).end).toEqual({ x: 9, y: 2 });
  });
});

describe("the range that ignores outliers", () => {
  const steps = Array.from({ length: 200 }, (_, i) => i);
  const of = (values: number[]) => robustRange([lineFrom(steps, values)], { low: 0, high: 199 }, Number);

  test("leaves a spike out and keeps what is near the others", () => {
    const range = of(steps.map((i) => (i === 50 ? 1e6 : Math.sin(i))));
    expect(range?.high).toBeLessThan(3);
    expect(range?.low).toBeGreaterThan(-3);
    expect(range?.high).toBeGreaterThan(1);
  });

  test("is the whole range where nothing stands out, and where there are few points", () => {
    const ramp = steps.map((i) => i);
    expect(of(ramp)).toEqual(yRange([lineFrom(steps, ramp)], { low: 0, high: 199 }, Number));
    const few = [lineFrom([0, 1, 2], [1, 2, 1e6])];
    expect(robustRange(few, { low: 0, high: 2 }, Number)).toEqual(yRange(few, { low: 0, high: 2 }, Number));
  });

  test("shows a constant in its middle, whatever stands beside it", () => {
    const range = of(steps.map((i) => (i === 3 ? -1e9 : 7)));
    expect(range?.low).toBeLessThan(7);
    expect(range?.high).toBeGreaterThan(7);
    expect(range?.low).toBeGreaterThan(0);
  });

  test("is a range, whatever the values", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e150, max: 1e150, noNaN: true }), { minLength: 1 }), (values) => {
        const line = lineFrom(
          values.map((_, i) => i),
          values,
        );
        const range = robustRange([line], { low: 0, high: values.length }, Number);
        expect(range?.high).toBeGreaterThanOrEqual(range?.low as number);
      }),
    );
  });
});

describe("the range", () => {
  test("of a logarithmic x begins at the first place that it has", () => {
    const positive = (x: number) => (x > 0 ? x : Number.NaN);
    expect(xRange([lineFrom([-1, 0, 2, 9], [1, 1, 1, 1])], positive)).toEqual({ low: 2, high: 9 });
    expect(xRange([lineFrom([-1, 0], [1, 1])], positive)).toBeNull();
    const one = xRange([lineFrom([0, 1], [1, 1])], positive);
    expect(one?.low).toBeGreaterThan(0);
  });

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
        ...{ total: 7, x: [], step: [0, 4, 6], time: [1, 2, 3], count: [4, 2, 1] },
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
    expect(layoutOf(lines, { x: "step", xScale: "linear", y: "linear" }, inks)).toMatchObject({
      shapes: [{ x0: 1, x1: 1 }],
      annotations: [{ text: "-Inf" }],
    });
  });
});

test("the table has the newest rows first, with a gap where a metric has no value", () => {
  const [train, val] = [lineFrom([0, 1, 2], [5, 6, 7]), lineFrom([1], [9])];
  expect(rowsOf([train, val], null, 2)).toEqual([
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

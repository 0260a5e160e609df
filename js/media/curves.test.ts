import { expect, test } from "vitest";
import { curvesIn, frameOf, isRoc, valueAt } from "./curves";

const line = (x: number[], y: number[]) => ({ name: "a", x, y, area: null });

test("a content that is no set of curves is told; an area may be absent", () => {
  const said = { x_title: "recall", y_title: "precision", lines: [{ name: "a", x: [0, 1], y: [1, 0] }] };
  expect(curvesIn(JSON.stringify(said))).toEqual({
    ...{ xTitle: "recall", yTitle: "precision", lines: [line([0, 1], [1, 0])] },
  });
  expect(curvesIn(JSON.stringify({ ...said, lines: [] }))).toBeNull();
  expect(curvesIn(JSON.stringify({ ...said, lines: [{ name: "a", x: [0], y: [] }] }))).toBeNull();
  expect(curvesIn("{}")).toBeNull();
});

test("only a curve over false positives has a diagonal of guessing", () => {
  const of = (xTitle: string) => isRoc({ xTitle, yTitle: "", lines: [] });
  expect(["False positive rate", "false_positives", "FPR", "recall"].map(of)).toEqual([true, true, true, false]);
});

test("a value stands between its neighbours, whichever way x runs", () => {
  expect(valueAt(line([0, 1], [0, 10]), 0.25)).toBe(2.5);
  expect(valueAt(line([1, 0], [10, 0]), 0.25)).toBe(2.5);
  expect(valueAt(line([0, 0.5], [0, 1]), 0.7)).toBeNull();
  // Where a curve is steep the better value counts.
  expect(valueAt(line([0, 0, 1], [0, 0.8, 1]), 0)).toBe(0.8);
  expect(valueAt(line([0.5], [3]), 0.5)).toBe(3);
});

test("axes show 0 to 1, and more where values lie outside", () => {
  expect(frameOf([0.2, 0.4])).toEqual({ low: 0, high: 1 });
  expect(frameOf([-1, 3])).toEqual({ low: -1, high: 3 });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { frameOf } from "../api/encode.testing";
import { csvOfFrames, csvOfLines, numberText } from "./csv";
import { History } from "./history";
import { type Line, lineOf } from "./lines";

function lineFrom(steps: number[], values: number[], smoothing = 0, x: "step" | "wall" = "step"): Line {
  const history = new History();
  history.append([frameOf("loss", steps, values)]);
  const series = history.series.get("loss");
  if (!series) throw new Error("no series");
  return lineOf(series, { index: 0, label: "loss" }, smoothing, { x, start: 0 });
}

const rowsOf = (text: string) => text.trimEnd().split("\r\n");

describe("what is shown, as CSV", () => {
  test("has a row for each x in the zoom, both ends included", () => {
    const line = lineFrom([0, 1, 2, 3], [5, 6, 7, 8]);
    expect(rowsOf(csvOfLines([line], "step", { low: 1, high: 2 }))).toEqual(["step,loss", "1,6", "2,7"]);
    expect(rowsOf(csvOfLines([line], "step", null))).toHaveLength(5);
  });

  test("says what is no number, and what is smoothed", () => {
    expect(rowsOf(csvOfLines([lineFrom([0, 1, 2], [1, Number.NaN, Number.NEGATIVE_INFINITY])], "step", null))).toEqual([
      "step,loss",
      "0,1",
      "1,NaN",
      "2,-Infinity",
    ]);
    const steps = Array.from({ length: 40 }, (_, i) => i);
    const noisy = lineFrom(
      steps,
      steps.map((i) => (i % 2) * 2 - 1),
      0.8,
    );
    expect(rowsOf(csvOfLines([noisy], "step", null))[0]).toBe("step,loss,loss smoothed");
  });

  test("keeps several points of one step, and instants as instants", () => {
    expect(rowsOf(csvOfLines([lineFrom([3, 3], [1, 2])], "step", null))).toEqual(["step,loss", "3,1", "3,2"]);
    expect(rowsOf(csvOfLines([lineFrom([1], [2], 0, "wall")], "wall", null))[1]).toMatch(/^\d{4}-.*Z,2$/);
  });

  test("of nothing is its head", () => {
    expect(csvOfLines([], "relative", null)).toBe("seconds\r\n");
  });

  test("has every value as it was", () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(values, (list) => {
        const line = lineFrom(
          list.map((_, i) => i),
          list,
        );
        const read = rowsOf(csvOfLines([line], "step", null)).slice(1);
        expect(read.map((row) => Number(row.split(",")[1]))).toEqual(list);
      }),
    );
  });
});

describe("all points, as CSV", () => {
  test("are those of the chart's own metrics, with no formula for a spreadsheet to run", () => {
    const frames = [frameOf("=HYPERLINK(1)", [0], [1]), frameOf("other", [1], [2])];
    const rows = rowsOf(csvOfFrames(frames, ["=HYPERLINK(1)"]));
    expect(rows[0]).toBe("step,time,'=HYPERLINK(1)");
    expect(rows).toHaveLength(2);
  });

  test("tell minus zero from zero", () => {
    expect(numberText(-0)).toBe("-0.0");
    expect(numberText(0)).toBe("0");
  });
});

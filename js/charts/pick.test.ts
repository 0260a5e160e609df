import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { frameOf } from "../api/encode.testing";
import { History } from "./history";
import { type Line, lineOf } from "./lines";
import { further, pickFrom, sentenceOf } from "./pick";

function lineFrom(steps: number[], values: number[] = steps): Line {
  const history = new History();
  history.append([frameOf("loss", steps, values)]);
  const series = history.series.get("loss");
  if (!series) throw new Error("no series");
  return lineOf(series, { index: 0, label: "loss" }, 0, { x: "step", start: 0 });
}

describe("the next point along a line", () => {
  const line = lineFrom([0, 10, 10, 10, 20]);

  test("from nowhere is the last one to the left, the first one to the right", () => {
    expect(further(line, null, -1)).toBe(20);
    expect(further(line, null, 1)).toBe(0);
    expect(further(line, null, Number.NEGATIVE_INFINITY)).toBe(0);
    expect(further(line, null, Number.POSITIVE_INFINITY)).toBe(20);
  });

  test("is at another x, also where several points share one", () => {
    expect(further(line, 0, 1)).toBe(10);
    expect(further(line, 10, 1)).toBe(20);
    expect(further(line, 10, -1)).toBe(0);
  });

  test("is never beyond the ends", () => {
    const steps = fc.uniqueArray(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(steps, fc.array(fc.integer({ min: -20, max: 20 })), (places, moves) => {
        const sorted = [...places].sort((a, b) => a - b);
        const walked = lineFrom(sorted);
        let at: number | null = null;
        for (const by of moves) {
          at = further(walked, at, by);
          expect(sorted).toContain(at);
        }
      }),
    );
  });

  test("can reach every point one by one", () => {
    const steps = [1, 2, 4, 8, 16];
    const walked = lineFrom(steps);
    const seen = [further(walked, null, 1)];
    while (seen.length < steps.length) seen.push(further(walked, seen.at(-1) as number, 1));
    expect(seen).toEqual(steps);
  });

  test("of an empty line is nowhere", () => {
    expect(further(lineFrom([0], [Number.NaN]), null, 1)).toBeNull();
    expect(pickFrom(lineFrom([0], [Number.NaN]), 0)).toBeNull();
  });
});

test("a point is told in one sentence", () => {
  const picked = pickFrom(lineFrom([5], [0.25]), 7);
  expect(picked && sentenceOf(picked, "step 5")).toBe("loss, step 5: 0.25");
  expect(sentenceOf({ index: 0, label: "val", x: 1, value: 2, smoothed: 3, band: { low: 1, high: 4 } }, "step 1")).toBe(
    "val, step 1: 2, smoothed 3, from 1 to 4",
  );
});

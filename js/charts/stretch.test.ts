import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Frame } from "../api";
import { frameOf } from "../api/encode.testing";
import type { DetailQuery } from "./detail";
import { stretchOf } from "./stretch";

const query = (changes: Partial<DetailQuery> = {}): DetailQuery => ({
  ...{ metrics: ["loss"], x: "step", range: null, start: 0 },
  ...changes,
});

function read(frames: readonly Frame[], asked: DetailQuery, metric = "loss") {
  const columns = stretchOf(frames, asked).get(metric)?.columns();
  return { x: [...(columns?.step ?? [])], y: [...(columns?.value ?? [])] };
}

describe("finer points from the page", () => {
  test("are those of the range, both ends included, whatever the order of steps", () => {
    const frames = [frameOf("loss", [5, 1, 9, 3, 2], [50, 10, 90, 30, 20])];
    expect(read(frames, query({ range: { low: 2, high: 5 } }))).toEqual({ x: [2, 3, 5], y: [20, 30, 50] });
  });

  test("are found by time, and by time since the start", () => {
    const frames = [frameOf("loss", [0, 1, 2], [5, 6, 7], [100, 110, 120])];
    expect(read(frames, query({ x: "wall", range: { low: 105, high: 130 } })).y).toEqual([6, 7]);
    expect(read(frames, query({ x: "relative", start: 100, range: { low: 0, high: 12 } })).y).toEqual([5, 6]);
  });

  test("stand at the value of another metric of the same step, the last one where there are several", () => {
    const frames = [frameOf("epoch", [0, 1, 1], [10, 20, 21]), frameOf("loss", [0, 1, 2], [5, 6, 7])];
    expect(read(frames, query({ x: "metric:epoch" }))).toEqual({ x: [10, 21], y: [5, 6] });
    expect(read(frames, query({ x: "metric:epoch", range: { low: 15, high: 30 } })).y).toEqual([6]);
    expect(read(frames, query({ x: "metric:nothing" })).y).toEqual([]);
  });

  test("lose none and gain none", () => {
    const steps = fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 60 });
    fc.assert(
      fc.property(steps, fc.integer({ min: -60, max: 60 }), fc.nat({ max: 60 }), (list, low, width) => {
        const range = { low, high: low + width };
        const frames = [frameOf("loss", list, list), frameOf("other", list, list)];
        const wanted = list.filter((step) => step >= range.low && step <= range.high).sort((a, b) => a - b);
        expect(read(frames, query({ range })).x).toEqual(wanted);
      }),
    );
  });

  test("are merged where even the range has more than a chart can show, and then say so", () => {
    const steps = Array.from({ length: 20_000 }, (_, i) => i);
    const wide = stretchOf([frameOf("loss", steps, steps)], query()).get("loss");
    expect(wide?.thinned).toBe(true);
    const narrow = stretchOf([frameOf("loss", steps, steps)], query({ range: { low: 100, high: 300 } })).get("loss");
    expect(narrow?.thinned).toBe(false);
    expect(narrow?.total).toBe(201);
  });
});

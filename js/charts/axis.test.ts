import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Axis, xAxisOf, yAxisOf } from "./axis";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const size = (low: number, high: number) => Math.max(Math.abs(low), Math.abs(high));
const labels = (axis: Axis, low: number, high: number, count: number) =>
  axis.ticks({ low: axis.place(low), high: axis.place(high) }, count).map(({ label }) => label);

describe("ticks of any axis", () => {
  const axes: [string, (low: number, high: number) => Axis][] = [
    ["step", (low, high) => xAxisOf("step", "linear", size(low, high))],
    ["linear", (low, high) => yAxisOf("linear", size(low, high))],
    ["log", () => yAxisOf("log", 1)],
  ];
  test.each(axes)("%s: stand inside, rise, are few and have labels that differ", (name, axisOf) => {
    fc.assert(
      fc.property(finite, finite, fc.integer({ min: 2, max: 10 }), (a, b, count) => {
        const [low, high] =
          name === "log" ? [Math.abs(a), Math.abs(b)].sort((x, y) => x - y) : [Math.min(a, b), Math.max(a, b)];
        const axis = axisOf(low as number, high as number);
        const range = { low: axis.place(low as number), high: axis.place(high as number) };
        // Ranges so narrow that doubles hardly tell their ends apart are widened before they come here.
        fc.pre(range.high - range.low > 1e-9 * size(range.low, range.high) && Number.isFinite(range.low));
        const ticks = axis.ticks(range, count);
        expect(ticks.length).toBeLessThanOrEqual(3 * count + 3);
        ticks.forEach(({ at }, i) => {
          expect(at).toBeGreaterThanOrEqual(range.low - 1e-9 * size(range.low, range.high));
          expect(at).toBeLessThanOrEqual(range.high + 1e-9 * size(range.low, range.high));
          if (i) expect(at).toBeGreaterThan(ticks[i - 1]?.at as number);
        });
        const said = ticks.map(({ label }) => label);
        expect(new Set(said).size).toBe(said.length);
      }),
      { numRuns: 2000 },
    );
  });

  test("log: labels on both sides of a power of ten differ", () => {
    expect(labels(yAxisOf("log", 1), 9.65e43, 1.01e44, 9)).toContain("1.005e44");
    expect(labels(yAxisOf("log", 1), 96.5, 101, 9)).toContain("100.5");
  });

  test.each(axes.slice(0, 2))("%s: a place leads back to its value", (_, axisOf) => {
    fc.assert(
      fc.property(finite, (value) => {
        const axis = axisOf(value, value);
        const back = axis.value(axis.place(value));
        expect(Math.abs(back - value)).toBeLessThanOrEqual(1e-12 * Math.abs(value) + Number.MIN_VALUE);
      }),
    );
  });
});

test.each([
  ["losses", 0, 2.3, 4, ["0", "1", "2"]],
  ["shares", 0, 1, 3, ["0", "0.5", "1.0"]],
  ["rates", 0, 1e-3, 3, ["0", "5e-4", "1e-3"]],
  ["thousands", 1950, 2260, 4, ["2\u202f000", "2\u202f100", "2\u202f200"]],
  ["many thousands", 0, 45_000, 4, ["0", "20k", "40k"]],
  ["millions", 0, 4.2e7, 4, ["0", "20M", "40M"]],
  ["negatives", -1, 1, 4, ["−1.0", "−0.5", "0", "0.5", "1.0"]],
  ["the largest doubles", -1e308, 1e308, 2, ["−1e308", "0", "1e308"]],
  ["tiny ones", 0, 3e-20, 3, ["0", "1e-20", "2e-20", "3e-20"]],
])("%s are labelled as people write them", (_, low, high, count, expected) => {
  expect(labels(yAxisOf("linear", size(low, high)), low, high, count)).toEqual(expected);
});

test("steps are whole, however few there are", () => {
  expect(labels(xAxisOf("step", "linear", 2), 0, 2, 8)).toEqual(["0", "1", "2"]);
});

test("a logarithmic axis has powers of ten, or 1, 2 and 5 where they are few", () => {
  expect(labels(yAxisOf("log", 1), 1e-6, 1, 4)).toEqual(["1e-6", "1e-4", "0.01", "1"]);
  expect(labels(yAxisOf("log", 1), 0.2, 5, 4)).toEqual(["0.2", "0.5", "1", "2", "5"]);
  expect(yAxisOf("log", 1).place(0)).toBeNaN();
});

test("relative time has round lengths of time", () => {
  expect(labels(xAxisOf("relative", "linear", 100), 0, 100, 4)).toEqual(["0", "30 s", "60 s", "90 s"]);
  expect(labels(xAxisOf("relative", "linear", 7200), 0, 7200, 4)).toEqual(["0", "30 min", "1 h", "1:30:00", "2 h"]);
});

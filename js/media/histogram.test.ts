import fc from "fast-check";
import { expect, test } from "vitest";
import { binAt, heatOf, histogramIn, rebinned, spanOf, Track, totalOf } from "./histogram";

const histogram = fc
  .uniqueArray(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 30 })
  .map((edges) => [...edges].sort((a, b) => a - b))
  .chain((edges) =>
    fc
      .array(fc.integer({ min: 0, max: 1000 }), { minLength: edges.length - 1, maxLength: edges.length - 1 })
      .map((counts) => ({ edges, counts })),
  );

test("a content that is no histogram is told", () => {
  expect(histogramIn('{"edges": [0, 1, 2], "counts": [3, 4]}')).toEqual({ edges: [0, 1, 2], counts: [3, 4] });
  for (const bad of ["", "[]", "null", "{}", '{"edges": [0, 1], "counts": []}', '{"edges": ["a", 1], "counts": [1]}']) {
    expect(histogramIn(bad)).toBeNull();
  }
});

test("no value is lost when bins become others", () => {
  fc.assert(
    fc.property(histogram, fc.integer({ min: 1, max: 70 }), (one, rows) => {
      const made = rebinned(one, spanOf([one]), rows);
      const sum = made.reduce((total, count) => total + count, 0);
      expect(sum).toBeCloseTo(totalOf(one), 3);
    }),
  );
});

test("values spread evenly over the bins that they may lie in", () => {
  expect([...rebinned({ edges: [0, 2, 4], counts: [4, 8] }, { low: 0, high: 4 }, 4)]).toEqual([2, 2, 4, 4]);
  // All values in one point.
  expect([...rebinned({ edges: [1, 1], counts: [5] }, { low: 0, high: 4 }, 4)]).toEqual([0, 5, 0, 0]);
});

test("steps with more values do not outshine the others", () => {
  const heat = heatOf(
    [
      { edges: [0, 1, 2], counts: [1, 0] },
      { edges: [0, 1, 2], counts: [1000, 1000] },
    ],
    2,
  );
  expect(heat.shades.map((column) => [...column])).toEqual([
    [1, 0],
    [Math.sqrt(0.5), Math.sqrt(0.5)],
  ]);
});

test("shades are shares, also of nothing and of the largest numbers", () => {
  const extreme = { edges: [-Number.MAX_VALUE, 0, Number.MAX_VALUE], counts: [1, 2] };
  for (const columns of [[], [{ edges: [0, 1], counts: [0] }], [extreme]]) {
    for (const shade of heatOf(columns, 8).shades.flatMap((column) => [...column])) {
      expect(shade).toBeGreaterThanOrEqual(0);
      expect(shade).toBeLessThanOrEqual(1);
    }
  }
});

test("a single value gets room around it", () => {
  expect(spanOf([{ edges: [3, 3], counts: [1] }])).toEqual({ low: 1.5, high: 4.5 });
});

test("a value is in the bin that it begins, and the last edge in the last bin", () => {
  const one = { edges: [0, 1, 2], counts: [5, 6] };
  expect([-0.1, 0, 1, 2, 2.1].map((value) => binAt(one, value))).toEqual([null, 0, 1, 1, null]);
});

test("a track stays bounded, is even, and has the newest", () => {
  const track = new Track(8);
  for (let step = 0; step < 1000; step++) track.push(step, { edges: [0, 1], counts: [step] });
  const steps = track.columns.map((column) => column.step);
  expect(steps.length).toBeLessThanOrEqual(10);
  expect(steps.at(-1)).toBe(999);
  expect(new Set(steps.slice(1, -1).map((step, i) => step - (steps[i] as number)))).toEqual(new Set([track.stride]));
});

test("many bins of a column are merged for the map, and none of the values is lost", () => {
  const track = new Track();
  const counts = Array.from({ length: 512 }, () => 1);
  track.push(0, { edges: Array.from({ length: 513 }, (_, i) => i), counts });
  expect(track.columns.map((column) => column.counts.length)).toEqual([64]);
  expect(track.columns.map((column) => Math.round(totalOf(column)))).toEqual([512]);
});

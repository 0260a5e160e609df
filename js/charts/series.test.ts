import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Series } from "./series";

function filled(points: readonly (readonly [step: number, value: number])[], capacity?: number): Series {
  const series = new Series("loss", capacity);
  const steps = points.map(([step]) => step);
  series.append(
    steps,
    steps.map((step) => 1e9 + step),
    points.map(([, value]) => value),
  );
  return series;
}

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const points = fc.array(fc.tuple(fc.integer({ min: -1000, max: 1000 }), finite), { maxLength: 400 });

describe("entries", () => {
  test("are sorted by step, equal steps in order of arrival", () => {
    fc.assert(
      fc.property(points, (given) => {
        const { step, value } = filled(given).columns();
        const expected = given.map((point, i) => ({ point, i })).sort((a, b) => a.point[0] - b.point[0] || a.i - b.i);
        expect([...step]).toEqual(expected.map(({ point }) => point[0]));
        expect([...value]).toEqual(expected.map(({ point }) => point[1]));
      }),
    );
  });

  test("are the same whether points come one by one or at once", () => {
    fc.assert(
      fc.property(points, fc.integer({ min: 8, max: 40 }), (given, capacity) => {
        const atOnce = filled(given, capacity);
        const oneByOne = new Series("loss", capacity);
        for (const [step, value] of given) oneByOne.append([step], [1e9 + step], [value]);
        expect(oneByOne.columns()).toEqual(atOnce.columns());
      }),
    );
  });
});

describe("a full store", () => {
  test("stays within its room, and keeps extremes, mean and number of all points", () => {
    fc.assert(
      fc.property(points, fc.integer({ min: 8, max: 40 }), (given, capacity) => {
        const series = filled(given, capacity);
        const { length, low, high, count, value } = series.columns();
        expect(length).toBeLessThanOrEqual(capacity);
        expect(series.total).toBe(given.length);
        if (!given.length) return;
        const values = given.map(([, one]) => one);
        expect(Math.min(...low)).toBe(Math.min(...values));
        expect(Math.max(...high)).toBe(Math.max(...values));
        expect(count.reduce((a, b) => a + b, 0)).toBe(given.length);
        for (let i = 0; i < length; i++) {
          const [least, mean, most] = [low[i] as number, value[i] as number, high[i] as number];
          const slack = 1e-9 * Math.max(Math.abs(least), Math.abs(most));
          expect(mean).toBeGreaterThanOrEqual(least - slack);
          expect(mean).toBeLessThanOrEqual(most + slack);
        }
      }),
    );
  });

  test("does not grow over a day of points", () => {
    const series = new Series("loss", 256);
    for (let i = 0; i < 100_000; i++) series.append([i], [i], [Math.sin(i / 1000)]);
    series.append([100_000], [100_000], [50]);
    expect(series.columns().length).toBeLessThanOrEqual(256);
    expect(series.thinned).toBe(true);
    expect(Math.max(...series.columns().high)).toBe(50);
    expect(series.tail).toEqual({ step: 100_000, time: 100_000, value: 50 });
  });

  test("has no overflow at the ends of double precision", () => {
    const { value } = filled(
      Array.from({ length: 100 }, (_, i) => [i, i % 2 ? Number.MAX_VALUE : -Number.MAX_VALUE] as const),
      16,
    ).columns();
    expect(value.every(Number.isFinite)).toBe(true);
  });
});

describe("what is no number", () => {
  test("is marked where it was and leaves a gap before the next entry", () => {
    const series = filled([
      [0, 1],
      [1, Number.NaN],
      [2, Number.NaN],
      [3, 2],
      [4, Number.POSITIVE_INFINITY],
    ]);
    expect(series.marks).toEqual([
      { kind: "NaN", step: 1, time: 1e9 + 1, count: 2 },
      { kind: "Inf", step: 4, time: 1e9 + 4, count: 1 },
    ]);
    expect([...series.columns().gap]).toEqual([0, 2]);
    expect(series.last?.value).toBe(Number.POSITIVE_INFINITY);
    expect(series.tail?.value).toBe(2);
  });

  test("takes bounded room, also where every other value is NaN", () => {
    const given = Array.from({ length: 20_000 }, (_, i) => [i, i % 2 ? Number.NaN : i] as const);
    const series = filled(given, 64);
    expect(series.marks.length).toBeLessThanOrEqual(256);
    expect(series.columns().length).toBeLessThanOrEqual(64);
    expect(series.total).toBe(20_000);
  });

  test("alone makes no entries", () => {
    const series = filled([[0, Number.NaN]]);
    expect([series.columns().length, series.tail, series.total]).toEqual([0, null, 1]);
  });
});

test("a step that comes late does not become the end of the line", () => {
  const series = filled([
    [5, 1],
    [2, 9],
  ]);
  expect(series.tail).toMatchObject({ step: 5, value: 1 });
  expect(series.last).toMatchObject({ step: 2, value: 9 });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isNoisy, type Sequence, smooth } from "./ema";

function sequence(values: number[], x = values.map((_, i) => i), weight = values.map(() => 1)): Sequence {
  return { length: values.length, x, value: values, weight };
}

const smoothing = fc.double({ min: 0.01, max: 0.99, noNaN: true });
const uneven = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.double({ min: -100, max: 100, noNaN: true })), {
    minLength: 2,
    maxLength: 40,
  })
  .map((steps) => {
    let at = 0;
    return sequence(
      steps.map(([, value]) => value),
      steps.map(([gap]) => (at += gap)),
    );
  });

/** The same by its definition, in quadratic time. */
function byDefinition({ length, x, value }: Sequence, s: number): number[] {
  const spacing = ((x[length - 1] as number) - (x[0] as number)) / (length - 1);
  return Array.from({ length }, (_, i) => {
    const weights = Array.from({ length }, (_, j) => s ** (Math.abs((x[i] as number) - (x[j] as number)) / spacing));
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.reduce((sum, weight, j) => sum + weight * (value[j] as number), 0) / total;
  });
}

describe("smoothing", () => {
  test("is the weighted mean that it says it is, on uneven steps too", () => {
    fc.assert(
      fc.property(uneven, smoothing, (points, s) => {
        fc.pre((points.x[points.length - 1] as number) > (points.x[0] as number));
        const smoothed = smooth(points, s);
        byDefinition(points, s).forEach((expected, i) => {
          expect(smoothed[i]).toBeCloseTo(expected, 6);
        });
      }),
    );
  });

  test("leaves a constant alone and never leaves the range of the values", () => {
    fc.assert(
      fc.property(uneven, smoothing, (points, s) => {
        const values = Array.from(points.value);
        const [low, high] = [Math.min(...values), Math.max(...values)];
        for (const one of smooth(points, s)) {
          expect(one).toBeGreaterThanOrEqual(low - 1e-9);
          expect(one).toBeLessThanOrEqual(high + 1e-9);
        }
        const constant = smooth({ ...points, value: values.map(() => 3) }, s);
        for (const one of constant) expect(one).toBeCloseTo(3, 9);
      }),
    );
  });

  test("does not lag: the middle of a straight line stays where it is", () => {
    const line = sequence(Array.from({ length: 101 }, (_, i) => 2 * i));
    expect(smooth(line, 0.9)[50]).toBeCloseTo(100, 1);
  });

  test("does not draw the beginning towards zero", () => {
    expect(smooth(sequence([10, 10, 10, 10]), 0.99)[0]).toBeCloseTo(10, 9);
  });

  test("gives a mean of several points their weight", () => {
    const whole = smooth(sequence([0, 0, 0, 8], [0, 0, 0, 1]), 0.5);
    const merged = smooth(sequence([0, 8], [0, 1], [3, 1]), 0.5);
    expect(merged[1]).toBeCloseTo(whole[3] as number, 9);
  });

  test("of nothing, of one point, switched off, or of equal steps changes nothing", () => {
    expect([...smooth(sequence([]), 0.9)]).toEqual([]);
    expect([...smooth(sequence([7]), 0.9)]).toEqual([7]);
    expect([...smooth(sequence([1, 5]), 0)]).toEqual([1, 5]);
    expect([...smooth(sequence([1, 5], [3, 3]), 0.9)]).toEqual([1, 5]);
  });

  test("does not overflow", () => {
    const values = Array.from({ length: 50 }, (_, i) => (i % 2 ? 1 : -1) * Number.MAX_VALUE);
    expect(smooth(sequence(values), 0.9).every(Number.isFinite)).toBe(true);
  });
});

describe("a series is", () => {
  const many = Array.from({ length: 200 }, (_, i) => i / 200);
  /** Repeatable noise in −1 … 1. */
  const noise = (i: number) => Math.sin(12.9898 * i) * Math.cos(78.233 * i);

  test.each([
    ["a straight line", many],
    ["a cosine", many.map((t) => Math.cos(Math.PI * t))],
    ["a staircase", many.map((t) => Math.floor(10 * t))],
    ["a constant", many.map(() => 1)],
    ["a clean curve with noise that nobody sees", many.map((t, i) => t + 1e-6 * noise(i))],
    ["an accuracy that rises steeply and then trembles", many.map((t, i) => 1 - Math.exp(-60 * t) + 0.006 * noise(i))],
    ["short", [1, 5, 2, 8, 1]],
  ])("clean: %s", (_, values) => {
    expect(isNoisy(sequence(values))).toBe(false);
  });

  test.each([
    ["a falling loss with noise", many.map((t, i) => 2 * Math.exp(-5 * t) + 0.1 * noise(i))],
    ["noise around a constant", many.map((_, i) => 2000 + 50 * noise(i))],
    ["noise as large as doubles go", many.map((_, i) => 1.7e308 * noise(i))],
  ])("noisy: %s", (_, values) => {
    expect(isNoisy(sequence(values))).toBe(true);
  });
});

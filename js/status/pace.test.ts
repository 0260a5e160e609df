import fc from "fast-check";
import { expect, test } from "vitest";
import { frameOf } from "../api/encode.testing";
import { History } from "../charts/history";
import { paceOf } from "./pace";

type Frames = ReturnType<typeof frameOf>[];

function pace(...frames: Frames) {
  const history = new History();
  history.append(frames);
  return paceOf(history.series.values());
}

/** A metric at each step from `first` on, whose rows stand `seconds` apart. */
function rows(seconds: readonly number[], first = 0, from = 0, name = "loss") {
  let at = from;
  const times = seconds.map((gap) => {
    at += gap;
    return at;
  });
  const steps = seconds.map((_, i) => first + i);
  return frameOf(name, steps, steps, times);
}

const every = (seconds: number, n: number) => Array.from({ length: n }, () => seconds);

test("the pace is that of the last half minute and not of the whole run", () => {
  const found = pace(rows([...every(10, 50), ...every(1, 50)]));
  expect(found).toMatchObject({ step: 99, firstStep: 0 });
  expect(found?.perSecond).toBeCloseTo(1);
});

test("of a moment nothing is said of pace", () => {
  expect(pace(frameOf("loss", [0, 1], [0, 0], [5, 5.1]))).toMatchObject({ step: 1, perSecond: null, lasting: null });
  expect(pace(frameOf("loss", [3], [0]))).toMatchObject({ step: 3, perSecond: null });
  expect(pace()).toBeNull();
});

test("the machine's metrics are no progress", () => {
  expect(pace(frameOf("system/cpu", [900], [1]))).toBeNull();
  expect(pace(frameOf("system/cpu", [900], [1]), frameOf("loss", [3], [1]))?.step).toBe(3);
});

test("a single pause, such as an evaluation, does not slow the pace that is shown", () => {
  expect(pace(rows([...every(0.5, 30), 20, ...every(0.5, 10)]))?.perSecond).toBeCloseTo(2);
});

test("pauses that come again and again count for the time that is left", () => {
  const round = [...every(0.5, 99), 50.5];
  const found = pace(rows([...round, ...round, ...round, ...round]));
  expect(found?.perSecond).toBeCloseTo(2);
  expect(found?.lasting).toBeGreaterThan(0.9);
  expect(found?.lasting).toBeLessThan(1.1);
});

test("a run that was resumed the next morning goes as fast as it goes, not as slow as the night was long", () => {
  const found = pace(rows([...every(1, 40), 40_000, ...every(1, 40)]));
  expect(found?.perSecond).toBeCloseTo(1);
  expect(found?.lasting).toBeCloseTo(1);
});

test("rows that come in bursts are counted as they come on the whole", () => {
  const burst = [9.99, ...every(0.001, 9)];
  expect(pace(rows(Array.from({ length: 8 }, () => burst).flat()))?.perSecond).toBeCloseTo(1, 0);
});

test("where steps went back the run stands where it is now, and that is no pace below zero", () => {
  const found = pace(rows(every(1, 101)), rows(every(1, 21), 50, 200));
  expect(found?.step).toBe(70);
  expect(found?.perSecond).toBeCloseTo(1);
});

test("a metric that ended long ago does not say where the run stands", () => {
  expect(pace(frameOf("warmup", [5_000], [1], [0]), rows(every(1, 10), 0, 1_000))?.step).toBe(9);
});

test("a slow training has a pace after a few steps", () => {
  const found = pace(rows(every(240, 6)));
  expect(1 / (found?.perSecond ?? 0)).toBeCloseTo(240);
  expect(1 / (found?.lasting ?? 0)).toBeCloseTo(240);
});

test("a pace that has just changed is no ground for a forecast", () => {
  expect(pace(rows([...every(10, 16), ...every(1, 16)]))?.lasting).toBeNull();
});

test("values that are no numbers are steps all the same", () => {
  const steps = Array.from({ length: 40 }, (_, i) => i);
  const values = steps.map((i) => (i < 20 ? 1 : Number.NaN));
  expect(pace(frameOf("loss", steps, values, steps))).toMatchObject({ step: 39 });
  expect(pace(frameOf("loss", steps, values, steps))?.perSecond).toBeCloseTo(1);
});

test("whatever clocks and steps do, a pace is a positive number or is not told", () => {
  const point = fc.tuple(fc.integer({ min: -5, max: 1e6 }), fc.double({ min: 0, max: 1e6, noNaN: true }));
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 80 }), (points) => {
      const [steps, times] = [points.map(([step]) => step), points.map(([, time]) => time)];
      const found = pace(frameOf("loss", steps, steps, times));
      for (const rate of [found?.perSecond, found?.lasting]) {
        if (rate !== null) expect(rate).toBeGreaterThan(0);
        if (rate !== null) expect(Number.isFinite(rate)).toBe(true);
      }
    }),
  );
});

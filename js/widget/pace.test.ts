import { expect, test } from "vitest";
import { frameOf } from "../api/encode.testing";
import { History } from "../charts/history";
import { progressOf } from "./pace";

function progress(...frames: ReturnType<typeof frameOf>[]) {
  const history = new History();
  history.append(frames);
  return progressOf(history.series.values());
}

test("pace is that of the last half minute", () => {
  const steps = Array.from({ length: 100 }, (_, i) => i);
  const slowThenFast = steps.map((i) => (i < 50 ? 10 * i : 500 + i - 50));
  expect(progress(frameOf("loss", steps, steps, slowThenFast))).toEqual({ step: 99, perSecond: 1 });
});

test("of a moment nothing is said of pace", () => {
  expect(progress(frameOf("loss", [0, 1], [0, 0], [5, 5.1]))).toEqual({ step: 1, perSecond: null });
  expect(progress(frameOf("loss", [3], [0]))).toEqual({ step: 3, perSecond: null });
});

test("the machine's metrics are no progress", () => {
  expect(progress(frameOf("system/cpu", [900], [1]))).toBeNull();
  expect(progress(frameOf("system/cpu", [900], [1]), frameOf("loss", [3], [1]))?.step).toBe(3);
});

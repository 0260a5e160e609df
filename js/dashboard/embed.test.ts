import { expect, test } from "vitest";
import { chartOf } from "./pages/embed";

const METRICS = ["system/cpu", "train/loss", "lr", "val/loss"];

test("the chart that holds a metric is shown, with what shares it", () => {
  expect(chartOf(METRICS, "val/loss")?.series.map(({ metric }) => metric)).toEqual(["train/loss", "val/loss"]);
  expect(chartOf(METRICS, "system/cpu")?.title).toBe("system/cpu");
});

test("no name shows the first chart, an unknown one none", () => {
  expect(chartOf(METRICS, null)?.title).toBe("loss");
  expect(chartOf(METRICS, "loss")).toBeUndefined();
  expect(chartOf([], null)).toBeUndefined();
});

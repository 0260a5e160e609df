import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { filterCharts, groupMetrics, ofTraining } from "./group";

interface Vector {
  why: string;
  names: string[];
  charts: { title: string; section: string; series: [string, string][] }[];
}
const file = new URL("../../tests/vectors/groups.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vector[];

test.each(vectors)("$why", ({ names, charts }) => {
  const found = groupMetrics(names).map(({ title, section, series }) => ({
    title,
    section,
    series: series.map(({ metric, label }) => [metric, label]),
  }));
  expect(found).toEqual(charts);
});

test("a chart keeps its key when a second metric joins it", () => {
  expect(groupMetrics(["train/loss"])[0]?.key).toBe(groupMetrics(["train/loss", "val/loss"])[0]?.key);
});

test("the filter looks at metrics' names, whatever the case", () => {
  const charts = groupMetrics(["train/Loss", "val/Loss", "lr"]);
  expect(filterCharts(charts, " vaL/l ").map(({ title }) => title)).toEqual(["Loss"]);
  expect(filterCharts(charts, "")).toHaveLength(2);
  expect(filterCharts(charts, "(")).toEqual([]);
});

test("a summary of the training is without what the machine did at last", () => {
  expect(ofTraining({ loss: 0.5, "system/cpu": 71, best: "x" })).toEqual({ loss: 0.5, best: "x" });
});

import { expect, test } from "vitest";
import {
  curveOf,
  DEFAULT_COLUMNS,
  MOST_VALUES,
  readColumns,
  shownValues,
  summaryColumns,
  valueColumns,
  valueIn,
} from "./columns";
import { run } from "./runs.testing";

const RUNS = [
  run("a", { summary: { rare: 1, note: "x", loss: "NaN", "system/cpu": 3, _step: 4 } }),
  run("b", { summary: { loss: 0.5, acc: 1 }, config: { lr: 0.1, optimizer: { name: "adam" } } }),
  run("c", { summary: { loss: 0.4, acc: 1 }, config: { lr: 0.2 } }),
];

test("by themselves columns are the numbers that most runs have; texts, hidden and system values are none", () => {
  expect(summaryColumns(RUNS, 2)).toEqual(["loss", "acc"]);
  expect(shownValues(DEFAULT_COLUMNS, RUNS)).toEqual(["summary:loss", "summary:acc", "summary:rare"]);
});

test("what could be a column is everything in summary and config, the commonest first", () => {
  const all = valueColumns(RUNS);
  expect(all[0]).toBe("summary:loss");
  expect(all).toContain("config:optimizer.name");
  expect(all).toContain("summary:note");
});

test("a value is found by its path, and what a mapping inherits is none", () => {
  expect(valueIn(RUNS[1] as (typeof RUNS)[0], "config:optimizer.name")).toBe("adam");
  expect(valueIn(RUNS[0] as (typeof RUNS)[0], "config:lr")).toBeUndefined();
  expect(valueIn(RUNS[0] as (typeof RUNS)[0], "summary:constructor")).toBeUndefined();
});

test("a choice is read as it was written", () => {
  const columns = { facts: ["state", "tags"], values: ["config:lr", "summary:loss"], curve: false } as const;
  expect(readColumns(JSON.stringify(columns))).toEqual(columns);
});

test.each(["", "{", "[]", "3", '{"facts": 1, "values": "x"}', null])(
  "what is no choice (%j) is the default",
  (text) => {
    expect(readColumns(text)).toEqual(DEFAULT_COLUMNS);
  },
);

test("of a kept choice what is unknown, repeated or too much is left out", () => {
  const many = Array.from({ length: 100 }, (_, i) => `summary:m${i}`);
  const kept = readColumns(
    JSON.stringify({ facts: ["state", "evil"], values: ["x", "config:", "config:lr", "config:lr", ...many] }),
  );
  expect(kept.facts).toEqual(["state"]);
  expect(kept.values?.[0]).toBe("config:lr");
  expect(kept.values).toHaveLength(MOST_VALUES);
});

test("the curve is that of the first value of a summary, if any and if it is wanted", () => {
  expect(curveOf(DEFAULT_COLUMNS, ["config:lr", "summary:loss"])).toBe("loss");
  expect(curveOf(DEFAULT_COLUMNS, ["config:lr"])).toBeNull();
  expect(curveOf({ ...DEFAULT_COLUMNS, curve: false }, ["summary:loss"])).toBeNull();
});

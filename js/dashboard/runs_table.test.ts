import { expect, test } from "vitest";
import type { RunInfo } from "../api";
import { run } from "./runs.testing";
import { chosen, matches, NEWEST_FIRST, NONE_CHOSEN, nextSort, sorted } from "./runs_table";

const names = (runs: readonly RunInfo[]) => runs.map(({ name }) => name).join("");

test("every word of the filter must occur, whatever the case", () => {
  const it = run("quiet-river", { tags: ["Baseline"], project: "cifar" });
  expect(matches(it, "BASE cif")).toBe(true);
  expect(matches(it, "base digits")).toBe(false);
  expect(matches(it, "")).toBe(true);
});

test("runs without the value come last, up and down, and so does NaN", () => {
  const runs = [
    run("n", { summary: { loss: "NaN" } }),
    run("x"),
    run("h", { summary: { loss: 2 } }),
    run("l", { summary: { loss: 1 } }),
  ];
  expect(names(sorted(runs, { key: "summary:loss", down: false })).slice(0, 2)).toBe("lh");
  expect(names(sorted(runs, { key: "summary:loss", down: true })).slice(0, 2)).toBe("hl");
});

test("running runs come first by state, and ties go newest first", () => {
  const runs = [
    run("f"),
    run("o", { state: "running", created_at: "2026-11-23T00:00:00Z" }),
    run("n", { state: "running", created_at: "2026-11-24T00:00:00Z" }),
  ];
  expect(names(sorted(runs, { key: "state", down: false }))).toBe("nof");
});

test("runs that are kept for good expire after all others", () => {
  const runs = [run("k"), run("e", { expires_at: "2026-11-30T00:00:00Z" })];
  expect(names(sorted(runs, { key: "expires", down: false }))).toBe("ek");
});

test("a second click turns the order round; numbers begin with the largest", () => {
  const byName = nextSort(NEWEST_FIRST, "name");
  expect(byName).toEqual({ key: "name", down: false });
  expect(nextSort(byName, "name").down).toBe(true);
  expect(nextSort(byName, "points").down).toBe(true);
});

test("a column of a config orders numbers by size and texts by letter, numbers first", () => {
  const runs = [
    run("t", { config: { optimizer: { name: "sgd" } } }),
    run("n", { config: { optimizer: { name: 10 } } }),
    run("m", { config: { optimizer: { name: 9 } } }),
    run("s", { config: { optimizer: { name: "Adam" } } }),
    run("x"),
  ];
  expect(names(sorted(runs, { key: "config:optimizer.name", down: false }))).toBe("mnstx");
  expect(names(sorted(runs, { key: "config:optimizer.name", down: true }))).toBe("tsnmx");
});

test("a range is chosen from the box that was set before to this one, either way", () => {
  const order = ["a", "b", "c", "d", "e"];
  const first = chosen(NONE_CHOSEN, order, "d", true, false);
  expect([...first.ids]).toEqual(["d"]);
  const second = chosen(first, order, "b", true, true);
  expect([...second.ids].sort()).toEqual(["b", "c", "d"]);
  expect([...chosen(second, order, "c", false, false).ids].sort()).toEqual(["b", "d"]);
});

test("a range from a row that is gone is that one row", () => {
  expect([...chosen({ ids: new Set(), anchor: "gone" }, ["a", "b"], "b", true, true).ids]).toEqual(["b"]);
});

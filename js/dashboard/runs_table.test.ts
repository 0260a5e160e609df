import { expect, test } from "vitest";
import type { RunInfo } from "../api";
import { matches, NEWEST_FIRST, nextSort, sorted, summaryColumns } from "./runs_table";

function run(name: string, more: Partial<RunInfo> = {}): RunInfo {
  return {
    ...{ run_id: name, account: "a", project: "digits", id: name, name, state: "finished", anonymous: true },
    ...{ created_at: "2026-11-24T00:00:00Z", server_time: "2026-11-24T00:00:00Z", url_path: `r/${name}` },
    ...{ expires_at: null, heartbeat_at: null, finished_at: null, exit_code: null, config: {}, summary: {} },
    ...{ tags: [], notes: null, group: null, job_type: null, points: 0, max_step: null },
    ...{ published_at: null, embed: false, total: null, error: null },
    ...{ permissions: { write: false, delete: false, claim: false, share: false, publish: false, files: false } },
    ...more,
  };
}

const names = (runs: readonly RunInfo[]) => runs.map(({ name }) => name).join("");

test("columns are the numbers that most runs have; texts, hidden and system values are none", () => {
  const runs = [
    run("a", { summary: { rare: 1, note: "x", loss: "NaN", "system/cpu": 3, _step: 4 } }),
    run("b", { summary: { loss: 0.5, acc: 1 } }),
    run("c", { summary: { loss: 0.4, acc: 1 } }),
  ];
  expect(summaryColumns(runs, 2)).toEqual(["loss", "acc"]);
});

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

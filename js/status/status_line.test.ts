import { expect, test } from "vitest";
import { elapsedS, reasonOf } from "./status_line";

const BEGUN = "2026-11-24T03:00:00Z";
const NOW = Date.parse("2026-11-24T03:10:00Z");
const after = (seconds: number) => new Date(Date.parse(BEGUN) + 1000 * seconds).toISOString();

test("a run's time goes on while it runs, and ends where it ended or was last heard", () => {
  expect(elapsedS({ state: "running", created_at: BEGUN }, NOW)).toBe(600);
  expect(elapsedS({ state: "finished", created_at: BEGUN, finished_at: after(42) }, NOW)).toBe(42);
  expect(elapsedS({ state: "failed", created_at: BEGUN, finished_at: after(7) }, NOW)).toBe(7);
  expect(elapsedS({ state: "crashed", created_at: BEGUN, heartbeat_at: after(60) }, NOW)).toBe(60);
});

test("no time is made up where an end is not known, or nobody vouches for the run", () => {
  expect(elapsedS({ state: "finished", created_at: BEGUN }, NOW)).toBeNull();
  expect(elapsedS({ state: "crashed", created_at: BEGUN, heartbeat_at: null }, NOW)).toBeNull();
  expect(elapsedS({ state: "unknown", created_at: BEGUN }, NOW)).toBeNull();
  expect(elapsedS({ state: "running" }, NOW)).toBeNull();
});

test("failed and crashed are told apart, each with what is known of it", () => {
  expect(reasonOf({ state: "failed", failure: "ValueError: lr < 0", error: "ValueError" })).toBe("ValueError: lr < 0");
  expect(reasonOf({ state: "failed", error: "ValueError", exit_code: 1 })).toBe("ValueError");
  expect(reasonOf({ state: "failed", exit_code: 3 })).toBe("It ended with exit code 3.");
  expect(reasonOf({ state: "failed" })).toBe("");
  expect(reasonOf({ state: "crashed", heartbeat_at: BEGUN })).toMatch(/^Its process has not been heard since .* 2026/);
  expect(reasonOf({ state: "crashed" })).toMatch(/^Its process has not been heard: /);
  expect(reasonOf({ state: "finished" })).toBe("");
});

test("an error in a cell is told while the run goes on", () => {
  expect(reasonOf({ state: "running", failure: "KeyboardInterrupt" })).toBe("Last error: KeyboardInterrupt");
  expect(reasonOf({ state: "running" })).toBe("");
});

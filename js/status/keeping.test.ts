import { expect, test } from "vitest";
import { keepingOf } from "./keeping";

const NOW = Date.parse("2026-11-24T03:00:00Z");
const run = (more: object = {}) => ({
  run_id: "r",
  name: "n",
  anonymous: true,
  expires_at: "2026-12-01T03:00:00Z",
  ...more,
});
const inSeconds = (seconds: number) => ({ expires_at: new Date(NOW + 1000 * seconds).toISOString() });

test.each([
  [86_400, "calm"],
  [86_399, "day"],
  [3_600, "day"],
  [3_599, "hour"],
  [0.001, "hour"],
])("with %d s to go the tone is %s", (seconds, urgency) => {
  expect(keepingOf(run(inSeconds(seconds)), null, NOW, true)).toMatchObject({ kind: "until", urgency });
});

test("at the very instant the run is expired", () => {
  expect(keepingOf(run(inSeconds(0)), null, NOW, true)).toMatchObject({ kind: "expired", at: new Date(NOW) });
});

test("before the server has answered no date is made up", () => {
  expect(keepingOf(run({ expires_at: null }), null, NOW, true)).toEqual({ kind: "unconfirmed" });
  expect(keepingOf(run({ expires_at: "soon" }), null, NOW, true)).toEqual({ kind: "unconfirmed" });
});

test("a run that was anonymous here and belongs to an account now was claimed", () => {
  const owned = run({ anonymous: false, account: "ada", expires_at: null });
  expect(keepingOf(owned, null, NOW, true)).toEqual({ kind: "claimed", account: "ada" });
  expect(keepingOf(owned, null, NOW, false)).toEqual({ kind: "account", account: "ada" });
});

test("what the server said of the run's end counts more than what the kernel believes", () => {
  expect(keepingOf(run(), { why: "deleted" }, NOW, true)).toEqual({ kind: "deleted" });
  expect(keepingOf(run(), { why: "claimed", account: null }, NOW, true)).toEqual({ kind: "claimed", account: null });
  const at = new Date(NOW);
  expect(keepingOf(run(), { why: "expired", at }, NOW, true)).toEqual({ kind: "expired", at });
});

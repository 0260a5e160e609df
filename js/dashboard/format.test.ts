import { expect, test } from "vitest";
import { ago, count, counted, fileSize, fullTime, shortValue } from "./format";
import { leaveKept, takeKept } from "./kept";
import { flatPairs } from "./pairs";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const before = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

test.each([
  [-5, "just now"],
  [44, "just now"],
  [60, "1 min ago"],
  [3_569, "59 min ago"],
  [3_570, "1 h ago"],
  [84_599, "23 h ago"],
  [84_600, "1 d ago"],
  [6 * 86_400, "6 d ago"],
])("%i seconds ago is told as %j", (seconds, text) => {
  expect(ago(before(seconds), NOW)).toBe(text);
});

test("the exact time names the zone that it is told in", () => {
  expect(fullTime("2026-11-30T22:31:00Z", "Europe/Berlin")).toBe("Mon 30 Nov 2026, 23:31, Europe/Berlin (GMT+1)");
});

test("counts are told in full, with one and many", () => {
  expect(count(12480)).toBe("12\u202f480");
  expect(counted(1, "point")).toBe("1 point");
  expect(counted(0, "point")).toBe("0 points");
});

test("values of a summary are told on one line, NaN and infinities too", () => {
  expect([0.24131, "NaN", "-Infinity", "adam", null, [1, 2]].map(shortValue)).toEqual([
    "0.2413",
    "NaN",
    "−∞",
    "adam",
    "–",
    "[1,2]",
  ]);
});

test("nested config is told by path; lists and empty mappings stay whole", () => {
  expect(flatPairs({ a: { b: 1, c: { d: [1] } }, e: {}, f: null })).toEqual([
    ["a.b", 1],
    ["a.c.d", [1]],
    ["e", {}],
    ["f", null],
  ]);
});

function notes() {
  const held = new Map<string, string>();
  return {
    getItem: (key: string) => held.get(key) ?? null,
    setItem: (key: string, value: string) => void held.set(key, value),
    removeItem: (key: string) => void held.delete(key),
  };
}

test("the kept note is said once, on the page of its run", () => {
  const store = notes();
  leaveKept(store, { runIds: ["1"], account: "alice" });
  expect(takeKept(store, "1")?.account).toBe("alice");
  expect(takeKept(store, "1")).toBeNull();
});

test("a kept note of another run, or one that is damaged, is not said", () => {
  const store = notes();
  leaveKept(store, { runIds: ["1"], account: "alice" });
  expect(takeKept(store, "2")).toBeNull();
  store.setItem("anonrun.kept", "{");
  expect(takeKept(store, null)).toBeNull();
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [9_949, "9.9 kB"],
  [9_950, "10 kB"],
  [999_499, "999 kB"],
  [999_500, "1.0 MB"],
  [12_345_678, "12 MB"],
  [5e12, "5.0 TB"],
  [5e15, "5000 TB"],
])("a file of %d bytes has %s", (bytes, text) => {
  expect(fileSize(bytes)).toBe(text.replace(" ", "\u202f"));
});

import { describe, expect, test } from "vitest";
import { formatClock, formatCountdown, formatInstant, formatValue, unitOf, zoneName } from "./format";

test.each([
  [0.24134, "0.2413"],
  [1.8, "1.8"],
  [95.81, "95.81"],
  [2164.3, "2\u202f164"],
  [1234567, "1\u202f234\u202f567"],
  [12345678, "1.235e7"],
  [3.1e-4, "3.1e-4"],
  [0.001, "0.001"],
  [-0.5, "−0.5"],
  [-2e-9, "−2e-9"],
  [0, "0"],
  [-0, "0"],
  [1e308, "1e308"],
  [5e-324, "4.941e-324"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "∞"],
  [Number.NEGATIVE_INFINITY, "−∞"],
])("the value %d is written %s", (value, text) => {
  expect(formatValue(value)).toBe(text);
});

test.each([
  ["epoch_time_s", "s"],
  ["samples_per_s", "/s"],
  ["tokens_per_second", "/s"],
  ["system/cpu_percent", "%"],
  ["system/cpu", "%"],
  ["system/process_memory", "MB"],
  ["system/network_sent", "MB/s"],
  ["system/gpu0/memory", "%"],
  ["system/rank2/gpu0/temperature", "°C"],
  ["system/gpu11/power", "W"],
  ["my/power", ""],
  ["gpu_mem_gb", "GB"],
  ["latency_ms", "ms"],
  ["loss", ""],
  ["accuracy", ""],
  ["class", ""],
  ["epoch_time", ""],
])("the unit of %s is “%s”", (metric, unit) => {
  expect(unitOf(metric)).toBe(unit);
});

describe("lengths of time", () => {
  test.each([
    [0, "00:00"],
    [42.9, "00:42"],
    [3723, "1:02:03"],
    [183_845, "2 d 03:04"],
    [-5, "00:00"],
  ])("%d s on a clock is %s", (seconds, text) => {
    expect(formatClock(seconds)).toBe(text);
  });

  test.each([
    [7 * 86400 - 1, "6 d 23 h"],
    [86400, "1 d"],
    [3900, "1 h 5 min"],
    [61, "1 min 1 s"],
    [42, "42 s"],
    [0.4, "0 s"],
    [-1, "0 s"],
  ])("%d s to go is %s", (seconds, text) => {
    expect(formatCountdown(seconds)).toBe(text);
  });
});

test("an instant is told in the reader's zone, with the zone's name", () => {
  const instant = new Date("2026-11-30T22:31:00Z");
  expect(formatInstant(instant, "Europe/Berlin")).toBe("Mon 30 Nov 2026, 23:31");
  expect(formatInstant(instant, "Asia/Kolkata")).toBe("Tue 1 Dec 2026, 04:01");
  expect(zoneName(instant, "Europe/Berlin")).toBe("Europe/Berlin (GMT+1)");
  expect(zoneName(instant, "America/New_York")).toBe("America/New_York (GMT-5)");
});

test("midnight is 00:00 of the day that begins", () => {
  expect(formatInstant(new Date("2026-11-30T23:00:00Z"), "Europe/Berlin")).toBe("Tue 1 Dec 2026, 00:00");
});

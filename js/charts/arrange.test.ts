import { describe, expect, test } from "vitest";
import { arrange } from "./arrange";
import { type Choices, DEFAULT_CHOICES } from "./choices";
import { groupMetrics } from "./group";
import { DEFAULT_OPTIONS } from "./options";

const METRICS = ["train/loss", "val/loss", "grad/norm", "layers/0", "lr", "grad/max", "layers/1", "solo/one"];

function keysOf(changes: Partial<Choices> = {}, first: readonly string[] = []): Record<string, string[]> {
  const charts = groupMetrics(METRICS);
  const { sections } = arrange(charts, { ...DEFAULT_CHOICES, ...changes }, first);
  return Object.fromEntries(sections.map(({ key, charts: held }) => [key, held.map((chart) => chart.key)]));
}

describe("charts", () => {
  test("that begin alike stand together, and one alone stands with the others", () => {
    expect(keysOf()).toEqual({
      rest: ["loss", "lr", "solo/one"],
      "by:grad": ["grad/norm", "grad/max"],
      "by:layers": ["layers/0", "layers/1"],
    });
  });

  test("stand in one section where the reader wants no groups", () => {
    const options = { ...DEFAULT_OPTIONS, grouped: false };
    expect(Object.keys(keysOf({ options }))).toEqual(["rest"]);
  });

  test("that are pinned stand first, those that are hidden nowhere", () => {
    const keys = keysOf({ pinned: ["layers/1", "lr"], hidden: ["loss", "grad/max"] });
    expect(keys).toEqual({ pinned: ["lr", "layers/1"], rest: ["grad/norm", "layers/0", "solo/one"] });
    const { hidden } = arrange(groupMetrics(METRICS), { ...DEFAULT_CHOICES, hidden: ["loss"] }, []);
    expect(hidden.map(({ key }) => key)).toEqual(["loss"]);
  });

  test("stand in the reader's order before the author's, and in the author's before that of arrival", () => {
    expect(keysOf({}, ["lr", "grad/max"]).rest).toEqual(["lr", "grad/max", "loss", "grad/norm", "solo/one"]);
    expect(keysOf({ order: ["loss"] }, ["lr"]).rest).toEqual(["loss", "lr", "solo/one"]);
  });

  test("are found by a part of a metric's name, whatever the case", () => {
    const options = { ...DEFAULT_OPTIONS, filter: " GRAD " };
    expect(keysOf({ options })).toEqual({ "by:grad": ["grad/norm", "grad/max"] });
    expect(arrange(groupMetrics(METRICS), { ...DEFAULT_CHOICES, options }, []).found).toBe(2);
  });

  test("of ten thousand metrics are arranged without a square of comparisons", () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `group${i % 100}/metric${i}`);
    const { sections } = arrange(groupMetrics(many), DEFAULT_CHOICES, []);
    expect(sections).toHaveLength(100);
    expect(sections[99]?.charts).toHaveLength(100);
  });
});

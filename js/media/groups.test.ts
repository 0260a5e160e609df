import fc from "fast-check";
import { expect, test } from "vitest";
import { Group, specsOf, stopAt, stopsOf, stopText } from "./groups";
import { item } from "./items.testing";

test("pictures of one step are one stop; items of other kinds are one each, by step", () => {
  const images = [item({ step: 5, index: 0 }), item({ step: 5, index: 1 }), item({ step: 0 })];
  expect(stopsOf("image", images).map(({ step, items }) => [step, items.length])).toEqual([
    [0, 1],
    [5, 2],
  ]);
  expect(stopsOf("table", images).map(({ step, no, of }) => [step, no, of])).toEqual([
    [0, 1, 1],
    [5, 1, 2],
    [5, 2, 2],
  ]);
});

test("without a choice the newest is shown; a choice stays where it was while others arrive", () => {
  const group = new Group("text", "note");
  for (const step of [0, 10, 20]) group.add(item({ step }));
  expect(stopAt(group.stops, null)).toBe(2);
  const place = group.stops[1] as { step: number; no: number };
  group.add(item({ step: 5 }));
  group.add(item({ step: 30 }));
  expect(group.stops[stopAt(group.stops, place)]?.step).toBe(10);
  expect(stopAt(group.stops, null)).toBe(4);
});

test("a place that is there is found, whatever stands around", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1 }), (steps) => {
      const stops = stopsOf(
        "table",
        steps.map((step) => item({ step })),
      );
      for (const [i, stop] of stops.entries()) expect(stopAt(stops, stop)).toBe(i);
    }),
  );
});

test("several items of a step are told apart in words", () => {
  const stops = stopsOf("table", [item({ step: 5 }), item({ step: 5 })]);
  expect(stops.map(stopText)).toEqual(["step 5, 1 of 2", "step 5, 2 of 2"]);
});

test("a key with items of several kinds has a panel of each, under different names", () => {
  const specs = specsOf([new Group("image", "eval/x"), new Group("table", "eval/x"), new Group("text", "y")]);
  expect(specs.map(({ key }) => key)).toEqual(["eval/x", "eval/x · table", "y"]);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Choices, DEFAULT_CHOICES, moved, placedAt, readChoices, toggled, writeChoices } from "./choices";

const names = fc.array(fc.string({ maxLength: 20 }), { maxLength: 8 });
const choices: fc.Arbitrary<Choices> = fc.record({
  options: fc.record({
    smoothing: fc.double({ min: 0, max: 0.99, noNaN: true }).map(Math.abs),
    x: fc.constantFrom("step", "relative", "wall", "metric:epoch", "metric:a:b"),
    xScale: fc.constantFrom("linear", "log"),
    y: fc.constantFrom("linear", "log"),
    robust: fc.boolean(),
    grouped: fc.boolean(),
    filter: fc.string({ maxLength: 40 }),
  }),
  pinned: names,
  hidden: names,
  order: names,
  off: names,
  closed: names,
  offRuns: names,
}) as fc.Arbitrary<Choices>;

describe("choices", () => {
  test("are read as they were written", () => {
    fc.assert(
      fc.property(choices, (one) => {
        expect(readChoices(writeChoices(one))).toEqual(one);
      }),
    );
  });

  test.each([
    [null],
    [""],
    ["{"],
    ["null"],
    ["[]"],
    ['{"options":{"smoothing":7,"x":"sideways","y":3,"robust":"yes"},"pinned":"loss","hidden":[1,null]}'],
  ])("that make no sense are as at first: %s", (text) => {
    expect(readChoices(text)).toEqual(DEFAULT_CHOICES);
  });

  test("never grow without end", () => {
    let one = DEFAULT_CHOICES;
    for (let i = 0; i < 700; i++) one = toggled(one, "hidden", `m${i}`);
    expect(one.hidden.length).toBe(500);
    expect(one.hidden.at(-1)).toBe("m699");
    expect(readChoices(JSON.stringify({ hidden: ["x".repeat(5000)] })).hidden).toEqual([]);
  });

  test("toggle there and back", () => {
    const on = toggled(DEFAULT_CHOICES, "pinned", "loss");
    expect(on.pinned).toEqual(["loss"]);
    expect(toggled(on, "pinned", "loss")).toEqual(DEFAULT_CHOICES);
  });
});

const inOrder = (keys: readonly string[], order: readonly string[]) => {
  const rank = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  return [...keys].sort((a, b) => rank(a) - rank(b));
};

describe("the order of charts", () => {
  const keys = ["a", "b", "c", "d"];

  test("changes by one place, and not beyond the ends", () => {
    expect(inOrder(keys, moved(DEFAULT_CHOICES, keys, "c", -1).order)).toEqual(["a", "c", "b", "d"]);
    expect(inOrder(keys, moved(DEFAULT_CHOICES, keys, "b", 1).order)).toEqual(["a", "c", "b", "d"]);
    expect(moved(DEFAULT_CHOICES, keys, "a", -1)).toBe(DEFAULT_CHOICES);
    expect(moved(DEFAULT_CHOICES, keys, "d", 1)).toBe(DEFAULT_CHOICES);
    expect(moved(DEFAULT_CHOICES, keys, "e", 1)).toBe(DEFAULT_CHOICES);
  });

  test("is what was asked for, wherever a chart is put", () => {
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.nat({ max: 3 }), (key, place) => {
        const now = inOrder(keys, placedAt(DEFAULT_CHOICES, keys, key, place).order);
        expect(now[place]).toBe(key);
        expect(now.filter((one) => one !== key)).toEqual(keys.filter((one) => one !== key));
      }),
    );
  });

  test("names only charts up to the last that moved, so that ten thousand stay short", () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `m${i}`);
    expect(moved(DEFAULT_CHOICES, many, "m3", -1).order).toEqual(["m0", "m1", "m3", "m2"]);
  });
});

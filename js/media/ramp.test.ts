import fc from "fast-check";
import { expect, test } from "vitest";
import { contrast, css, inkOn, rampAt } from "./ramp";

test.each(["light", "dark"] as const)("numbers are read on every shade of the %s ramp", (theme) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => {
      const paper = rampAt(share, theme);
      expect(contrast(inkOn(paper), paper)).toBeGreaterThanOrEqual(4.5);
    }),
  );
});

test.each(["light", "dark"] as const)("a larger share stands out more from an empty one, in %s", (theme) => {
  const from = rampAt(0, theme);
  const steps = [0.1, 0.3, 0.5, 0.7, 1].map((share) => contrast(rampAt(share, theme), from));
  expect([...steps].sort((a, b) => a - b)).toEqual(steps);
});

test("what is no share is taken to the nearer end", () => {
  expect(rampAt(7, "light")).toEqual(rampAt(1, "light"));
  expect(rampAt(Number.NaN, "light")).toEqual(rampAt(0, "light"));
  expect(css(rampAt(1, "light"))).toBe("rgb(8, 69, 148)");
});

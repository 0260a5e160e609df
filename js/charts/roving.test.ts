import fc from "fast-check";
import { expect, test } from "vitest";
import { nextCard } from "./roving";

const cards = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.nat(), fc.integer({ min: 1, max: 5 }))
  .map(([n, at, columns]) => ({ n, at: at % n, columns }));

test("keys lead to a card that is there, and back", () => {
  fc.assert(
    fc.property(
      cards,
      fc.constantFrom("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"),
      ({ n, at, columns }, key) => {
        const to = nextCard(key, at, n, columns);
        if (to === null) return;
        expect(to).toBeGreaterThanOrEqual(0);
        expect(to).toBeLessThan(n);
        const opposite = {
          ArrowLeft: "ArrowRight",
          ArrowRight: "ArrowLeft",
          ArrowUp: "ArrowDown",
          ArrowDown: "ArrowUp",
        };
        expect(nextCard(opposite[key], to, n, columns)).toBe(at);
      },
    ),
  );
});

test("Home and End lead to the ends, and other keys nowhere", () => {
  expect(nextCard("Home", 5, 9, 3)).toBe(0);
  expect(nextCard("End", 5, 9, 3)).toBe(8);
  expect(nextCard("ArrowDown", 7, 9, 3)).toBeNull();
  expect(nextCard("x", 5, 9, 3)).toBeNull();
});

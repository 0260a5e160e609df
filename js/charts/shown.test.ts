import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Range } from "./lines";
import { between, holds, movedBy, settled, zoomedBy } from "./shown";

const place = fc.double({ min: -1e12, max: 1e12, noNaN: true });
const range = fc
  .tuple(place, fc.double({ min: 1e-3, max: 1e9, noNaN: true }))
  .map(([low, width]): Range => ({ low, high: low + width }))
  .filter(({ low, high }) => high - low > 1e-9 * Math.max(Math.abs(low), Math.abs(high)));
const factor = fc.double({ min: 0.05, max: 20, noNaN: true });
const share = fc.double({ min: -3, max: 3, noNaN: true });

describe("what is shown", () => {
  test("stays within all and keeps a width, whatever is done in whatever order", () => {
    const act = fc.oneof(
      fc.tuple(fc.constant("zoom" as const), factor, fc.double({ min: 0, max: 1, noNaN: true })),
      fc.tuple(fc.constant("move" as const), share, fc.constant(0)),
    );
    fc.assert(
      fc.property(range, fc.array(act, { maxLength: 30 }), (all, acts) => {
        let now: Range | null = null;
        for (const [kind, by, at] of acts) {
          const seen: Range = now ?? all;
          now =
            kind === "zoom" ? zoomedBy(by, seen.low + at * (seen.high - seen.low), seen, all) : movedBy(by, seen, all);
          if (now === null) continue;
          expect(now.low).toBeGreaterThanOrEqual(all.low);
          expect(now.high).toBeLessThanOrEqual(all.high);
          expect(now.high).toBeGreaterThan(now.low);
        }
      }),
    );
  });

  test("keeps what is under the pointer in its place while it is zoomed in", () => {
    fc.assert(
      fc.property(range, fc.double({ min: 0.1, max: 0.9, noNaN: true }), (all, at) => {
        const x = all.low + at * (all.high - all.low);
        const now = zoomedBy(0.5, x, all, all) as Range;
        const share = (x - now.low) / (now.high - now.low);
        expect(share).toBeCloseTo(at, 3);
      }),
    );
  });

  test("is all again once it would be wider than all, or nearly as wide", () => {
    const all = { low: 0, high: 100 };
    expect(zoomedBy(2, 50, { low: 20, high: 80 }, all)).toBeNull();
    expect(settled({ low: 0.01, high: 100 }, all)).toBeNull();
    expect(settled({ low: 0, high: 50 }, all)).toEqual({ low: 0, high: 50 });
  });

  test("moves no further than to the ends", () => {
    const all = { low: 0, high: 100 };
    expect(movedBy(5, { low: 10, high: 30 }, all)).toEqual({ low: 80, high: 100 });
    expect(movedBy(-5, { low: 10, high: 30 }, all)).toEqual({ low: 0, high: 20 });
  });

  test("is the same whichever way the pointer was drawn, and widened where that was hardly moved", () => {
    const all = { low: 0, high: 1000 };
    expect(between(30, 20, all)).toEqual(between(20, 30, all));
    expect(between(20, 20, all)?.high).toBeGreaterThan(20);
  });

  test("of one point is always all", () => {
    expect(settled({ low: 5, high: 5 }, { low: 5, high: 5 })).toBeNull();
  });

  test("holds what lies in it", () => {
    expect(holds(null, { low: 1, high: 2 })).toBe(true);
    expect(holds({ low: 1, high: 2 }, null)).toBe(false);
    expect(holds({ low: 0, high: 3 }, { low: 1, high: 2 })).toBe(true);
    expect(holds({ low: 0, high: 1.5 }, { low: 1, high: 2 })).toBe(false);
  });
});

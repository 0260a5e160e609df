import fc from "fast-check";
import { expect, test } from "vitest";
import { Lru } from "./lru";

test("what was used last stays, and what leaves is told", () => {
  const gone: string[] = [];
  const lru = new Lru<string>(3, (value) => gone.push(value));
  lru.put("a", "A", 1);
  lru.put("b", "B", 1);
  lru.put("c", "C", 1);
  expect(lru.get("a")).toBe("A");
  lru.put("d", "D", 1);
  expect(gone).toEqual(["B"]);
  expect([lru.get("a"), lru.get("b"), lru.size]).toEqual(["A", undefined, 3]);
  lru.clear();
  expect([lru.size, gone.length]).toEqual([0, 4]);
});

test("one value larger than all room is held alone", () => {
  const lru = new Lru<string>(3);
  lru.put("a", "A", 1);
  lru.put("b", "B", 9);
  expect([lru.get("a"), lru.get("b"), lru.size]).toEqual([undefined, "B", 9]);
});

test("no more is held than there is room for, whatever comes", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(..."abcdef"), fc.integer({ min: 0, max: 5 }))), (puts) => {
      const lru = new Lru<number>(10);
      for (const [key, size] of puts) lru.put(key, size, size);
      expect(lru.size).toBeLessThanOrEqual(10);
      expect(lru.size).toBe([..."abcdef"].reduce((sum, key) => sum + (lru.get(key) ?? 0), 0));
    }),
  );
});

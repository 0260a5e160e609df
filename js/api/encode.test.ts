import fc from "fast-check";
import { expect, test } from "vitest";
import { decodePlainSegments, type Frame } from "./decode";
import { encodeAll, pointsOf } from "./encode";

const frames = fc.array(
  fc.record({
    names: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 9, unit: "grapheme" }), { minLength: 1, maxLength: 4 }),
    rows: fc.integer({ min: 1, max: 9 }),
  }),
  { minLength: 1, maxLength: 6 },
);

function frame(names: string[], rows: number): Frame {
  const column = (first: number) => Float64Array.from({ length: rows }, (_, i) => first + i);
  const columns = names.map((_, i) => column(i / 3));
  return { names, steps: column(-2), times: column(1.8e9 + 0.000001), columns };
}

test("whatever frames are written are read again, bit by bit", () => {
  fc.assert(
    fc.property(frames, (shapes) => {
      const written = shapes.map(({ names, rows }) => frame(names, rows));
      const segments = decodePlainSegments(encodeAll(written));
      expect(segments.flatMap((segment) => segment.frames)).toEqual(written);
    }),
    { numRuns: 50 },
  );
});

test("what is too much for one segment is several, which go on from each other", () => {
  const long = frame(["a", "b"], 300_000);
  const many = Array.from({ length: 5_000 }, (_, i) => frame([`m${i}`], 1));
  const segments = decodePlainSegments(encodeAll([long, ...many]));
  expect(segments.length).toBeGreaterThan(3);
  let next = 0;
  for (const { seq, rows } of segments) {
    expect(seq).toBe(next);
    next += rows;
  }
  const read = segments.flatMap((segment) => segment.frames);
  expect(pointsOf(read)).toBe(605_000);
  expect(read.filter(({ names }) => names[0] === "a").flatMap(({ steps }) => [...steps])).toEqual([...long.steps]);
});

test("nothing is nothing", () => {
  expect(encodeAll([])).toHaveLength(0);
});

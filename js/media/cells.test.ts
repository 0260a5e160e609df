import fc from "fast-check";
import { expect, test } from "vitest";
import { type Cell, cellText, compared, csvOfRows, isNumeric, nextOrder, rowsOf, tableIn } from "./cells";

const cell: fc.Arbitrary<Cell> = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom("NaN", "Infinity", "-Infinity"),
);
const sorted = (values: readonly Cell[], falling = false) =>
  rowsOf({ columns: ["a"], rows: values.map((value) => [value]) }, "", { column: 0, falling }).map(([value]) => value);

test("a content that is no table is told", () => {
  expect(tableIn('{"columns": ["a"], "rows": [[1], [null]]}')).toEqual({ columns: ["a"], rows: [[1], [null]] });
  for (const bad of ["x", '{"columns": [], "rows": []}', '{"columns": ["a"], "rows": [[1, 2]]}']) {
    expect(tableIn(bad)).toBeNull();
  }
  expect(tableIn('{"columns": ["a"], "rows": [[{}]]}')).toBeNull();
});

test("numbers come before texts, then what is no number, then nothing, whichever way", () => {
  const values = ["b10", null, 3, "NaN", "b9", "-Infinity", 20];
  expect(sorted(values)).toEqual(["-Infinity", 3, 20, "b9", "b10", "NaN", null]);
  expect(sorted(values, true)).toEqual([20, 3, "-Infinity", "b10", "b9", "NaN", null]);
});

test("the order of cells has no contradictions", () => {
  fc.assert(
    fc.property(cell, cell, cell, fc.boolean(), (a, b, c, falling) => {
      const sign = (x: Cell, y: Cell) => Math.sign(compared(x, y, falling)) + 0;
      expect(sign(a, b)).toBe(-sign(b, a) + 0);
      if (sign(a, b) <= 0 && sign(b, c) <= 0) expect(sign(a, c)).toBeLessThanOrEqual(0);
    }),
  );
});

test("a header sorts up, then down, then not at all", () => {
  const first = nextOrder(null, 1);
  expect(first).toEqual({ column: 1, falling: false });
  expect(nextOrder(first, 1)).toEqual({ column: 1, falling: true });
  expect(nextOrder({ column: 1, falling: true }, 1)).toBeNull();
  expect(nextOrder({ column: 1, falling: true }, 0)).toEqual({ column: 0, falling: false });
});

test("a filter finds a text in any cell, whatever the case", () => {
  const table = {
    columns: ["a", "b"],
    rows: [
      ["Cat", 1],
      ["dog", null],
      ["owl", 12],
    ],
  };
  expect(rowsOf(table, " cat ", null)).toEqual([["Cat", 1]]);
  expect(rowsOf(table, "2", null)).toEqual([["owl", 12]]);
  expect(rowsOf(table, "null", null)).toEqual([]);
});

test("a column of numbers may have gaps and NaN, and no other text", () => {
  const numeric = (values: Cell[]) => isNumeric({ columns: ["a"], rows: values.map((value) => [value]) }, 0);
  expect([numeric([1, null, "NaN"]), numeric(["a", 1]), numeric([null])]).toEqual([true, false, false]);
});

test("cells are read as they were logged as long as that is short", () => {
  expect([12345678, 0.123456789, "", null, true].map(cellText)).toEqual(["12345678", "0.123457", "", "", "true"]);
});

test("CSV keeps each number, quotes texts, and runs no formula", () => {
  expect(
    csvOfRows(
      ["a", 'b"'],
      [
        [0.1, "x,y"],
        [null, "=1+1"],
      ],
    ),
  ).toBe('a,"b"""\r\n0.1,"x,y"\r\n,\'=1+1\r\n');
});

import { expect, test } from "vitest";
import { bestOf, readDirections, rowsOf, toldApart, turned } from "./beside";

test("a row differs where one run has another value, or none", () => {
  const rows = rowsOf([
    { lr: 0.1, seed: 1, optimizer: { name: "adam" } },
    { lr: 0.2, seed: 1, optimizer: { name: "adam" }, extra: null },
  ]);
  expect(rows).toEqual([
    { name: "lr", values: [0.1, 0.2], differs: true },
    { name: "seed", values: [1, 1], differs: false },
    { name: "optimizer.name", values: ["adam", "adam"], differs: false },
    { name: "extra", values: [undefined, null], differs: true },
  ]);
});

test("a number and the text of it differ, and equal lists do not", () => {
  expect(
    rowsOf([
      { a: 1, b: [1, 2] },
      { a: "1", b: [1, 2] },
    ]).map(({ differs }) => differs),
  ).toEqual([true, false]);
});

test("no value is best before the reader has said what is", () => {
  expect(bestOf([1, 2], undefined).size).toBe(0);
  expect([...bestOf([3, 1, 2], "smallest")]).toEqual([1]);
  expect([...bestOf([3, 1, 3], "largest")]).toEqual([0, 2]);
});

test("what is no number is not compared, and one number alone or all the same are no best", () => {
  expect([...bestOf(["NaN", 2, "x", 1, undefined], "largest")]).toEqual([1]);
  expect([...bestOf(["Infinity", 2], "largest")]).toEqual([0]);
  expect(bestOf([1, "x"], "largest").size).toBe(0);
  expect(bestOf([1, 1], "smallest").size).toBe(0);
});

test("a word on a name goes round, and what was kept is read with care", () => {
  const once = turned({}, "loss");
  const twice = turned(once, "loss");
  expect([once, twice, turned(twice, "loss")]).toEqual([{ loss: "smallest" }, { loss: "largest" }, {}]);
  expect(readDirections(JSON.stringify({ loss: "smallest", acc: "best" }))).toEqual({ loss: "smallest" });
  for (const text of [null, "", "[]", "null", "3"]) expect(readDirections(text)).toEqual({});
});

test("runs of one name are told apart by their ids", () => {
  const runs = [
    { run_id: "…aaaa", name: "a" },
    { run_id: "…bbbb", name: "a" },
    { run_id: "…cccc", name: "c" },
  ];
  expect(toldApart(runs)).toEqual(["a · aaaa", "a · bbbb", "c"]);
});

import { expect, test } from "vitest";
import { accuracyOf, matrixIn, mistakesOf, percent, sharesOf } from "./matrix";

const MATRIX = {
  labels: ["cat", "dog", "owl"],
  counts: [
    [8, 2, 0],
    [3, 6, 1],
    [0, 0, 0],
  ],
};

test("a content that is no matrix is told", () => {
  expect(matrixIn(JSON.stringify(MATRIX))).toEqual(MATRIX);
  for (const bad of [
    "{",
    '{"labels": ["a"], "counts": [[1, 2]]}',
    '{"labels": [], "counts": []}',
    '{"labels": ["a"]}',
  ]) {
    expect(matrixIn(bad)).toBeNull();
  }
});

test("shares are of a row; an empty row has none", () => {
  expect(sharesOf(MATRIX)).toEqual([
    [0.8, 0.2, 0],
    [0.3, 0.6, 0.1],
    [0, 0, 0],
  ]);
});

test("accuracy is the share of the diagonal, and nothing of nothing", () => {
  expect(accuracyOf(MATRIX)).toBe(0.7);
  expect(accuracyOf({ labels: ["a"], counts: [[0]] })).toBeNull();
});

test("mistakes come by their number", () => {
  expect(mistakesOf(MATRIX, 2)).toEqual([
    { actual: "dog", predicted: "cat", count: 3, share: 0.3 },
    { actual: "cat", predicted: "dog", count: 2, share: 0.2 },
  ]);
});

test("a share that is small is not nothing", () => {
  expect([0, 0.001, 0.5, 1].map(percent)).toEqual(["0%", "<1%", "50%", "100%"]);
});

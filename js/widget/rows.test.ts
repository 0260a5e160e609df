import { expect, test } from "vitest";
import { frameOf } from "../api/encode.testing";
import { fileName } from "../charts/csv";
import { Rows } from "./rows";

test("CSV has one row a log call, in order of arrival, with every digit", () => {
  const rows = new Rows();
  rows.append([
    frameOf("loss", [0, 1], [0.1, Number.NaN], [1e9, 1e9 + 0.000_001]),
    frameOf("lr", [1], [-0], [1e9 + 2]),
  ]);
  expect(rows.toCsv().split("\r\n")).toEqual([
    "step,time,loss,lr",
    "0,2001-09-09T01:46:40.000000Z,0.1,",
    "1,2001-09-09T01:46:40.000001Z,NaN,",
    "1,2001-09-09T01:46:42.000000Z,,-0.0",
    "",
  ]);
});

test("names that a spreadsheet would run or misread are made harmless", () => {
  const rows = new Rows();
  rows.append([
    { ...frameOf("", [0], [1]), names: ["=1+1", 'a,"b"'], columns: [Float64Array.of(1), Float64Array.of(2)] },
  ]);
  expect(rows.toCsv().split("\r\n")[0]).toBe(`step,time,'=1+1,"a,""b"""`);
});

test("JSON carries what is not finite as text", () => {
  const rows = new Rows();
  rows.append([frameOf("loss", [0, 1, 2], [1, Number.NEGATIVE_INFINITY, Number.NaN])]);
  expect(rows.toSeries().loss?.value).toEqual([1, "-Infinity", "NaN"]);
});

test("a metric may bear any name", () => {
  const rows = new Rows();
  rows.append([frameOf("__proto__", [0], [1])]);
  expect(Object.entries(rows.toSeries())).toMatchObject([["__proto__", { value: [1] }]]);
});

test("what did not come is not called complete", () => {
  const rows = new Rows();
  expect(rows.complete).toBe(true);
  rows.lose();
  expect(rows.complete).toBe(false);
});

test("memory is bounded: the newest rows stay, and it says that some are missing", () => {
  const rows = new Rows(true, 24 * 10);
  for (let step = 0; step < 50; step++) rows.append([frameOf("loss", [step], [0])]);
  expect(rows.complete).toBe(false);
  expect(rows.toSeries().loss?.step).toEqual([40, 41, 42, 43, 44, 45, 46, 47, 48, 49]);
});

test.each([
  ["digits mlp", "digits-mlp.csv"],
  ["../../etc/passwd", "etc-passwd.csv"],
  ["名前", "名前.csv"],
  ["???", "run.csv"],
])("the file for a run named %s is %s", (name, file) => {
  expect(fileName(name, "csv")).toBe(file);
});

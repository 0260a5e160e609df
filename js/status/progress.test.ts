import { expect, test } from "vitest";
import type { Pace } from "./pace";
import { doneOf, leftS, leftText, paceText, shareOf, silenceText, steadied, stepText } from "./progress";

const at = (step: number, more: Partial<Pace> = {}): Pace => ({
  ...{ step, firstStep: 0, at: 0, perSecond: 2, lasting: 2 },
  ...more,
});

test.each([
  [0, 999, 1000],
  [1, 1000, 1000],
  [0, 0, 1],
  [500, 700, 700],
])("who began at step %d has made, at step %d, %d steps", (firstStep, step, done) => {
  expect(doneOf({ firstStep, step })).toBe(done);
});

test.each([
  [at(499), 1000, "step 499 of 1\u202f000 (50\u202f%)", 0.5],
  [at(999), 1000, "step 999 of 1\u202f000 (100\u202f%)", 1],
  [at(1200), 1000, "step 1\u202f200, beyond the 1\u202f000 planned", 1],
  [at(998), 1000, "step 998 of 1\u202f000 (99\u202f%)", 0.999],
  [at(12, { firstStep: 10 }), 100, "step 12 of 100 (12\u202f%)", 0.12],
])("how far a run is", (pace, total, words, part) => {
  expect(stepText(pace, total)).toBe(words);
  expect(shareOf(pace, total)?.part).toBe(part);
});

test("without a total there is a step and no share", () => {
  expect(stepText(at(12_480), null)).toBe("step 12\u202f480");
  expect([shareOf(at(5), null), shareOf(at(5), undefined), shareOf(at(5), 0)]).toEqual([null, null, null]);
  expect(shareOf(null, 100)).toEqual({ done: 0, total: 100, part: 0 });
});

test.each([
  [6.61, "6.6 steps/s"],
  [1, "1 steps/s"],
  [2164, "2\u202f164 steps/s"],
  [0.4, "2.5 s/step"],
  [1 / 90, "1.5 min/step"],
])("a pace of %d a second", (perSecond, words) => {
  expect(paceText(perSecond)).toBe(words);
});

test("time that is left is known only with a total, a lasting pace, and steps to go", () => {
  expect(leftS(at(499), 1000)).toBe(250);
  expect(leftS(at(499, { lasting: null }), 1000)).toBeNull();
  expect(leftS(at(999), 1000)).toBeNull();
  expect(leftS(at(1500), 1000)).toBeNull();
  expect(leftS(at(499), null)).toBeNull();
  expect(leftS(null, 1000)).toBeNull();
});

test.each([
  [20, "less than a minute left"],
  [170, "about 3 min left"],
  [37 * 60, "about 35 min left"],
  [2.4 * 3600, "about 2.5 h left"],
  [30.2 * 3600, "about 30 h left"],
  [5.2 * 86_400, "about 5 d left"],
])("%d seconds are %s", (seconds, words) => {
  expect(leftText(steadied(null, seconds))).toBe(words);
});

test("what is left does not flicker between two minutes, and does go down", () => {
  let shown: number | null = null;
  const said = new Set<string>();
  for (const seconds of [205, 212, 198, 214, 207, 211, 203]) {
    shown = steadied(shown, seconds);
    said.add(leftText(shown));
  }
  expect([...said]).toEqual(["about 3 min left"]);
  expect(leftText(steadied(shown, 130))).toBe("about 2 min left");
});

test("silence is told once it is long for a run of that pace", () => {
  expect(silenceText(59, 10)).toBeNull();
  expect(silenceText(60, 10)).toBe("no step for 1 min");
  expect(silenceText(300, 1 / 240)).toBeNull();
  expect(silenceText(1_260, 1 / 240)).toBe("no step for 21 min");
  expect(silenceText(7_320, null)).toBe("no step for 2 h 2 min");
});

import { expect, test } from "vitest";
import { comparedIn, comparePath } from "./compare";

const [A, B] = ["0192f7d0-5b1c-7cc3-98c4-dc0c0c07398f", "0192f7d0-5b1c-7cc3-98c4-dc0c0c073990"] as const;

test("an address names the runs that it was made of, in their order", () => {
  expect(comparedIn(new URL(comparePath([B, A]), "http://x").search)).toEqual([B, A]);
});

test("a run is compared once, and what is no run id is nothing", () => {
  expect(comparedIn(`?run=${A}&run=${A}&run=anr_v_secret&run=../x&other=${B}`)).toEqual([A]);
  expect(comparedIn("")).toEqual([]);
});

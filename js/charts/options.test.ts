import { expect, test } from "vitest";
import { DEFAULT_OPTIONS, optionsFor, type XAxis } from "./options";

test.each<[XAxis, XAxis]>([
  ["step", "relative"],
  ["metric:loss", "relative"],
  ["relative", "relative"],
  ["wall", "wall"],
])("where x is %s, the machine is drawn over %s", (x, drawn) => {
  const chosen = { ...DEFAULT_OPTIONS, x };
  expect(optionsFor("system", chosen).x).toBe(drawn);
  expect(optionsFor("charts", chosen)).toBe(chosen);
});

test("a logarithmic x is one of the training's charts", () => {
  expect(optionsFor("system", { ...DEFAULT_OPTIONS, xScale: "log" }).xScale).toBe("linear");
});

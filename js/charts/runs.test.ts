import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { frameOf } from "../api/encode.testing";
import { csvOfLines } from "./csv";
import { History } from "./history";
import { layOut } from "./layout";
import { type Line, lineOf, xRange } from "./lines";
import type { XAxis } from "./options";
import { colorOf, lookOf, swatchOf } from "./palette";
import { tracesOf } from "./plotly";
import { differenceOf, differenceText, isStranger, type OtherRun, signedText } from "./runs";
import { Series } from "./series";
import { rowsOf } from "./table";

interface Points {
  step: number[];
  value: (number | "NaN")[];
}
interface Vector {
  why: string;
  metric: string;
  own: Points;
  reference: Points;
  found: { step: number; own: number; reference: number; ended_at: number | null } | null;
  text: string | null;
}
const file = new URL("../../tests/vectors/differences.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vector[];

function seriesOf({ step, value }: Points): Series {
  const series = new Series("any");
  series.append(step, step, value.map(Number));
  return series;
}

describe("the difference to a reference", () => {
  test.each(vectors)("$why", ({ metric, own, reference, found, text }) => {
    const difference = differenceOf(seriesOf(own), seriesOf(reference));
    const { ended_at: endedAt, ...rest } = found ?? { ended_at: null };
    expect(difference).toEqual(found && { ...rest, endedAt });
    expect(difference && differenceText(difference, metric)).toBe(text);
  });

  test("is nothing where a metric is missing on either side", () => {
    expect(differenceOf(undefined, seriesOf({ step: [1], value: [1] }))).toBeNull();
    expect(differenceOf(seriesOf({ step: [1], value: [1] }), undefined)).toBeNull();
  });

  test("never lies outside of the reference's two neighbours", () => {
    const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(finite, { minLength: 2, maxLength: 20 }), fc.nat(100), (values, at) => {
        const steps = values.map((_, i) => 7 * i);
        const found = differenceOf(seriesOf({ step: [at], value: [0] }), seriesOf({ step: steps, value: values }));
        const near = [values[Math.floor(at / 7)], values[Math.ceil(at / 7)], values.at(-1)].filter(
          (one) => one !== undefined,
        );
        expect(found?.reference).toBeGreaterThanOrEqual(Math.min(...near) - 1e-6);
        expect(found?.reference).toBeLessThanOrEqual(Math.max(...near) + 1e-6);
      }),
    );
  });

  test("has no unit where the metric's name has none", () => {
    expect([signedText(0.008, "val/acc"), signedText(0, "loss")]).toEqual(["+0.008", "±0"]);
  });
});

function other(kind: OtherRun["kind"], slot: number, start: number | null, changes: Partial<OtherRun> = {}): OtherRun {
  const history = new History();
  const began = start ?? 0;
  history.append([
    frameOf("loss", [0, 10, 20], [3, 2, 1], [began, began + 30, began + 60]),
    frameOf("lr", [0, 10, 20], [0.3, 0.2, 0.1], [began, began + 30, began + 60]),
  ]);
  return { key: `${kind}-${slot}`, kind, slot, name: `${kind} ${slot}`, start, history, ...changes };
}

function lineOn(x: XAxis, run: OtherRun): Line {
  const series = run.history.series.get("loss") as Series;
  const across = run.history.series.get("lr");
  return lineOf(series, { index: 0, label: run.name, other: run }, 0, { x, start: run.start ?? 0, across });
}

describe("runs beside each other", () => {
  const [reference, run] = [other("reference", 0, null), other("run", 0, 1_795_000_000)];

  test("begin at the same place on relative time, each from its own start", () => {
    expect([...lineOn("relative", run).x]).toEqual([0, 30, 60]);
    expect([...lineOn("relative", reference).x]).toEqual([0, 30, 60]);
  });

  test("stand at their own steps, dates, and values of their own metrics", () => {
    expect([...lineOn("step", run).x]).toEqual([0, 10, 20]);
    expect([...lineOn("wall", run).x]).toEqual([1_795_000_000, 1_795_000_030, 1_795_000_060]);
    expect([...lineOn("metric:lr", run).x]).toEqual([0.1, 0.2, 0.3]);
  });

  test("have columns of their own in tables and files", () => {
    const own = lineOf(seriesOf({ step: [0, 10], value: [5, 4] }), { index: 0, label: "any" }, 0, {
      x: "step",
      start: 0,
    });
    const lines = [own, lineOn("step", reference)];
    expect(rowsOf(lines).map(({ values }) => values)).toEqual([
      [null, 1],
      [4, 2],
      [5, 3],
    ]);
    expect(csvOfLines(lines, "step", null).split("\r\n").slice(0, 2)).toEqual(["step,any,loss · reference 0", "0,5,3"]);
  });

  test("give the axes room only while they are shown", () => {
    const own = lineOf(seriesOf({ step: [0, 5], value: [1, 2] }), { index: 0, label: "any" }, 0, {
      x: "step",
      start: 0,
    });
    const shown = { x: "step", xScale: "linear", y: "linear", robust: false, zoom: null } as const;
    const high = (lines: Line[]) => layOut({ ...shown, lines }, { width: 300, height: 150 }, () => 20).y.high;
    expect(high([own])).toBeLessThan(high([own, lineOn("step", reference)]));
    expect(xRange([own])).toEqual({ low: 0, high: 5 });
  });

  test("lie behind in the enlarged chart", () => {
    const own = lineOf(seriesOf({ step: [0, 5], value: [1, 2] }), { index: 0, label: "mine" }, 0, {
      x: "step",
      start: 0,
    });
    const traces = tracesOf([own, lineOn("step", reference)], { x: "step" }, "light") as {
      name: string;
      line: object;
    }[];
    expect(traces.map(({ name }) => name)).toEqual(["reference 0", "mine"]);
    expect(traces[0]?.line).toMatchObject({ dash: "6px,3px" });
  });

  test("say where they have nothing in common with the run", () => {
    expect(isStranger(reference, ["loss", "acc"])).toBe(false);
    expect(isStranger(reference, ["acc", "system/cpu"])).toBe(true);
    expect(isStranger(reference, ["system/cpu"])).toBe(false);
  });
});

describe("how lines look", () => {
  test("a run keeps its colour whatever comes and goes beside it", () => {
    const before = lookOf({ index: 0, other: { kind: "run", slot: 2 } }, "light");
    expect(lookOf({ index: 1, other: { kind: "run", slot: 2 } }, "light").color).toBe(before.color);
    expect(lookOf({ index: 0, other: { kind: "run", slot: 6 } }, "light").color).toBe(before.color);
  });

  test("four other runs have four colours, none of them those of training and validation", () => {
    for (const theme of ["light", "dark"] as const) {
      const colors = [0, 1, 2, 3].map((slot) => lookOf({ index: 0, other: { kind: "run", slot } }, theme).color);
      expect(new Set([...colors, colorOf(0, theme), colorOf(1, theme)]).size).toBe(6);
    }
  });

  test("a reference is told apart without its colour: by dashes and by what stands at its end", () => {
    for (let index = 0; index < 12; index++) {
      const look = lookOf({ index, other: { kind: "reference", slot: 0 } }, "light");
      expect(look.dash.length).toBeGreaterThan(0);
      expect(look.end).toBe("diamond");
    }
    expect(swatchOf(lookOf({ index: 0 }, "light"))).toBe("#0072B2");
    expect(swatchOf({ color: "#123456", dash: [6, 3] })).toBe(
      "repeating-linear-gradient(90deg, #123456 0 3px, transparent 3px 5px)",
    );
  });
});

import { beforeEach, describe, expect, test } from "vitest";
import { Detail, type DetailAnswer, type DetailQuery } from "./detail";
import { Series } from "./series";

function seriesOf(name: string): Series {
  const series = new Series(name);
  series.append([1, 2], [1, 2], [1, 2]);
  return series;
}

interface Question {
  readonly query: DetailQuery;
  readonly signal: AbortSignal;
  answer(answer: DetailAnswer | null): Promise<void>;
}

let questions: Question[] = [];
let due: { act: () => void; ms: number } | null = null;
let told = 0;
let detail: Detail;

beforeEach(() => {
  [questions, due, told] = [[], null, 0];
  const source = (query: DetailQuery, signal: AbortSignal) =>
    new Promise<DetailAnswer | null>((resolve) => {
      const answer = async (found: DetailAnswer | null) => {
        resolve(found);
        await Promise.resolve();
        await Promise.resolve();
      };
      questions.push({ query, signal, answer });
    });
  const timers = {
    set: (act: () => void, ms: number) => {
      due = { act, ms };
      return due;
    },
    clear: (timer: unknown) => {
      if (timer === due) due = null;
    },
  };
  detail = new Detail(source, timers);
  detail.subscribe(() => told++);
});

function pass(): void {
  const now = due;
  due = null;
  now?.act();
}

const zoom = (low: number, high: number) => ({ x: "step" as const, zoom: { low, high }, start: 0 });

describe("finer points", () => {
  test("are asked for once for all charts, with a margin on either side", () => {
    detail.look(zoom(10, 20));
    detail.want("a", 5, false);
    detail.want("b", 5, false);
    expect(questions).toHaveLength(0);
    pass();
    expect(questions.map(({ query }) => query)).toEqual([
      { metrics: ["a", "b"], x: "step", range: { low: 5, high: 25 }, start: 0 },
    ]);
  });

  test("are not asked for while the reader still moves", () => {
    for (let i = 0; i < 5; i++) {
      detail.look(zoom(i, i + 10));
      detail.want("a", 5, false);
    }
    pass();
    expect(questions).toHaveLength(1);
    expect(questions[0]?.query.range).toEqual({ low: -1, high: 19 });
  });

  test("that were asked for before the reader moved on are not taken, and the question is called off", async () => {
    detail.look(zoom(10, 20));
    detail.want("a", 5, false);
    pass();
    detail.look(zoom(50, 60));
    detail.want("a", 5, false);
    expect(questions[0]?.signal.aborted).toBe(true);
    await questions[0]?.answer(new Map([["a", seriesOf("a")]]));
    expect(detail.get("a")).toBeNull();
    expect(told).toBe(0);
    pass();
    const fresh = seriesOf("a");
    await questions[1]?.answer(new Map([["a", fresh]]));
    expect(detail.get("a")).toBe(fresh);
    expect(told).toBe(1);
  });

  test("stay while the reader moves within them, and no longer", async () => {
    detail.look(zoom(10, 20));
    detail.want("a", 5, false);
    pass();
    const held = seriesOf("a");
    await questions[0]?.answer(new Map([["a", held]]));
    detail.look(zoom(12, 22));
    expect(detail.get("a")).toBe(held);
    detail.want("a", 5, false);
    expect(due).toBeNull();
    detail.look(zoom(20, 30));
    expect(detail.get("a")).toBeNull();
    detail.look({ x: "wall", zoom: { low: 12, high: 22 }, start: 0 });
    expect(detail.get("a")).toBeNull();
  });

  test("are asked for again, finer, when the reader goes much closer; the old ones stay meanwhile", async () => {
    detail.look(zoom(0, 1000));
    detail.want("a", 5, false);
    pass();
    const coarse = seriesOf("a");
    await questions[0]?.answer(new Map([["a", coarse]]));
    detail.look(zoom(100, 110));
    detail.want("a", 5, false);
    expect(detail.get("a")).toBe(coarse);
    pass();
    expect(questions).toHaveLength(2);
  });

  test("of the newest stretch are read again while points arrive, and at no great pace", async () => {
    detail.look(zoom(0, 10));
    detail.want("a", 5, true);
    expect(due?.ms).toBeLessThan(500);
    pass();
    await questions[0]?.answer(new Map([["a", seriesOf("a")]]));
    detail.want("a", 5, true);
    expect(due).toBeNull();
    detail.want("a", 6, true);
    detail.want("a", 7, true);
    expect(due?.ms).toBeGreaterThanOrEqual(1000);
    pass();
    expect(questions).toHaveLength(2);
  });

  test("that nobody has leave the page's own, and are not asked for again and again", async () => {
    detail.look(zoom(0, 10));
    detail.want("a", 5, false);
    pass();
    await questions[0]?.answer(null);
    expect(detail.get("a")).toBeNull();
    detail.want("a", 5, false);
    expect(due).toBeNull();
  });
});

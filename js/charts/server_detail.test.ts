import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SampledSeries } from "../api";
import type { SampledOptions } from "../api/client";
import { detailFrom, partsOf } from "./server_detail";

const bucket = { total: 9, x: [0.5], step: [4], time: [100], count: [9], min: [1], max: [3], first: [2], last: [2.5] };

function server(answer: SampledSeries | null) {
  const asked: SampledOptions[] = [];
  const sampled = async (_run: string, options: SampledOptions = {}) => {
    asked.push(options);
    const problem = { type: "", title: "", status: 0, code: "unreachable", detail: "" };
    return answer ? { ok: true as const, value: answer } : { ok: false as const, problem };
  };
  return { asked, detail: detailFrom({ sampled }, "run") };
}

const found = { metrics: { loss: bucket }, position: 1, damaged: 0 };
const signal = new AbortController().signal;

describe("finer points from the server", () => {
  test("are asked for by the range that is shown", async () => {
    const { asked, detail } = server(found);
    await detail({ metrics: ["loss"], x: "step", range: { low: 3, high: 8 }, start: 7 }, signal);
    expect(asked).toEqual([{ metrics: ["loss"], x: "step", points: 2000, start: 3, end: 8 }]);
  });

  test("of relative time are asked for by instants, since server and page count from other beginnings", async () => {
    const { asked, detail } = server(found);
    await detail({ metrics: ["loss"], x: "relative", range: { low: 3, high: 8 }, start: 1000 }, signal);
    expect(asked[0]).toMatchObject({ x: "wall", start: 1003, end: 1008 });
  });

  test("stand where the server put them on another metric", async () => {
    const { detail } = server(found);
    const along = await detail({ metrics: ["loss"], x: "metric:epoch", range: null, start: 0 }, signal);
    expect([...(along?.get("loss")?.columns().step ?? [])]).toEqual([0.5]);
    const steps = await detail({ metrics: ["loss"], x: "step", range: null, start: 0 }, signal);
    expect([...(steps?.get("loss")?.columns().step ?? [])]).toEqual([4]);
    expect(steps?.get("loss")?.thinned).toBe(true);
  });

  test("are none where it does not answer", async () => {
    const { detail } = server(null);
    expect(await detail({ metrics: ["loss"], x: "step", range: null, start: 0 }, signal)).toBeNull();
  });

  test("are asked for in parts that fit into an address, none left out", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 256 }), { maxLength: 60 }), (metrics) => {
        const parts = partsOf(metrics);
        expect(parts.flat()).toEqual(metrics);
        for (const part of parts) {
          const length = part.reduce((sum, name) => sum + encodeURIComponent(name).length + 8, 0);
          expect(part.length === 1 || length <= 4000).toBe(true);
        }
      }),
    );
  });
});

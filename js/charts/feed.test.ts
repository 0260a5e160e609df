import { expect, test } from "vitest";
import type { LiveHandlers, Problem, Result, RunInfo, SampledSeries, Segment } from "../api";
import { Feed, type FeedClient } from "./feed";

const RUN = { run_id: "1", state: "running", server_time: "2026-11-24T12:00:10Z" } as RunInfo;
const NOW = Date.parse("2026-11-24T12:00:00Z");
const ok = <T>(value: T): Result<T> => ({ ok: true, value });
const no = (status: number, code: string): Result<never> => ({
  ok: false,
  problem: { type: "about:blank", title: "", status, code, detail: "" } satisfies Problem,
});

const metric = (values: number[]) => ({
  ...{ total: values.length, step: values.map((_, i) => i), time: values.map((_, i) => i), count: values.map(() => 1) },
  ...{ min: values, max: values, first: values, last: values, x: [] },
});
const sampled = (values: number[], position: number): SampledSeries => ({
  metrics: { loss: metric(values) },
  position,
  damaged: 0,
});
const segment = (step: number, value: number): Segment => ({
  ...{ writer: 1n, seq: step, rows: 1, points: 1 },
  frames: [
    { names: ["loss"], steps: Float64Array.of(step), times: Float64Array.of(step), columns: [Float64Array.of(value)] },
  ],
});

/** A server that answers from scripts: one entry for each time that it is asked, the last one from then on. */
function server(script: {
  run?: Result<RunInfo>[];
  sampled?: Result<SampledSeries>[];
  live?: ((handlers: LiveHandlers, after: number) => Result<void>)[];
}) {
  const asked: string[] = [];
  const next = <T>(answers: T[]): T => (answers.length > 1 ? answers.shift() : answers[0]) as T;
  const client: FeedClient = {
    run: async () => {
      asked.push("run");
      return next(script.run ?? [ok(RUN)]);
    },
    sampled: async () => {
      asked.push("sampled");
      return next(script.sampled ?? [ok(sampled([1, 0.5], 7))]);
    },
    live: async (_id, after, handlers) => {
      asked.push(`live ${after}`);
      return next(script.live ?? [() => no(404, "run_not_found")])(handlers, after);
    },
  };
  return { client, asked };
}

const feedOf = (client: FeedClient, waits: number[] = []) =>
  new Feed(client, "1", { now: () => NOW, wait: async (ms) => void waits.push(ms) });

test("a finished run is read once and no connection is held", async () => {
  const { client, asked } = server({ run: [ok({ ...RUN, state: "finished" })] });
  const feed = feedOf(client);
  await feed.follow();
  expect(asked).toEqual(["run", "sampled"]);
  expect(feed.state).toMatchObject({ link: "idle", loaded: true, clockOffsetMs: 10_000 });
  expect(feed.history.points).toBe(2);
});

test("a lost connection is taken up from the last position, and nothing is drawn twice", async () => {
  const { client, asked } = server({
    run: [ok(RUN), ok(RUN), ok({ ...RUN, state: "running" })],
    live: [
      (on) => {
        on.points([segment(2, 0.25)], 8);
        return no(0, "unreachable");
      },
      (on) => {
        on.points([segment(3, 0.125)], 9);
        on.gone({ type: "about:blank", title: "", status: 410, code: "run_deleted", detail: "" });
        return ok(undefined);
      },
    ],
  });
  const feed = feedOf(client);
  await feed.follow();
  expect(asked).toEqual(["run", "sampled", "live 7", "run", "live 8"]);
  expect(feed.history.points).toBe(4);
  expect(feed.state.problem?.code).toBe("run_deleted");
});

test("while the server is away the feed waits longer each time, up to 15 seconds", async () => {
  const waits: number[] = [];
  const away = Array.from({ length: 7 }, () => no(0, "unreachable"));
  const { client } = server({ run: [...away, no(404, "run_not_found")] });
  const feed = feedOf(client, waits);
  await feed.follow();
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000]);
  expect(feed.state.problem?.code).toBe("run_not_found");
});

test("too many requests, or an error of the server, is no final answer", async () => {
  const { client } = server({ run: [no(429, "slow_down"), no(503, "busy"), ok({ ...RUN, state: "finished" })] });
  const feed = feedOf(client);
  await feed.follow();
  expect(feed.state).toMatchObject({ link: "idle", problem: null });
});

test("a run that ended while nobody looked is read as a whole again", async () => {
  const { client, asked } = server({
    run: [ok(RUN), ok({ ...RUN, state: "finished" })],
    sampled: [ok(sampled([1], 7)), ok(sampled([1, 0.5, 0.25], 9))],
    live: [() => no(0, "unreachable")],
  });
  const feed = feedOf(client);
  await feed.follow();
  expect(asked).toEqual(["run", "sampled", "live 7", "run", "sampled"]);
  expect(feed.history.points).toBe(3);
});

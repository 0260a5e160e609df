import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Result } from "../api";
import { RunNews, type Sight } from "./run_news";

const LOST: Result<void> = {
  ok: false,
  problem: { type: "about:blank", title: "", status: 0, code: "unreachable", detail: "" },
};

/** A server whose streams the test opens, feeds and ends. */
function server() {
  const streams: { handlers: { open(): void; runs(): void }; signal: AbortSignal; end(answer: Result<void>): void }[] =
    [];
  const client = {
    liveRuns: (handlers: { open(): void; runs(): void }, signal: AbortSignal) =>
      new Promise<Result<void>>((end) => streams.push({ handlers, signal, end })),
  };
  return { client, streams };
}

function sight() {
  const heard = new Set<() => void>();
  const seen = { visibilityState: "visible" };
  const place: Sight = {
    get visibilityState() {
      return seen.visibilityState;
    },
    addEventListener: (_type, listener) => void heard.add(listener),
    removeEventListener: (_type, listener) => void heard.delete(listener),
  };
  const become = (state: string) => {
    seen.visibilityState = state;
    for (const listener of heard) listener();
  };
  return { place, become, heard };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("all parts of a page share one stream, which ends with the last of them", () => {
  const { client, streams } = server();
  const { place, heard } = sight();
  const news = new RunNews(client, place);
  const told = [0, 0];
  const ends = [0, 1].map((part) => news.subscribe(() => told.splice(part, 1, (told[part] as number) + 1)));
  expect(streams.length).toBe(1);
  streams[0]?.handlers.runs();
  expect(told).toEqual([1, 1]);
  ends[0]?.();
  streams[0]?.handlers.runs();
  expect(told).toEqual([1, 2]);
  expect(streams[0]?.signal.aborted).toBe(false);
  ends[1]?.();
  expect(streams[0]?.signal.aborted).toBe(true);
  expect(heard.size).toBe(0);
  vi.advanceTimersByTime(600_000);
  expect(told).toEqual([1, 2]);
});

test("without a stream it is time to look every few seconds, and with one seldom", async () => {
  const { client, streams } = server();
  const told = vi.fn();
  new RunNews(client, sight().place).subscribe(told);
  vi.advanceTimersByTime(15_000);
  expect(told).toHaveBeenCalledTimes(3);
  streams[0]?.handlers.open();
  expect(told).toHaveBeenCalledTimes(4);
  vi.advanceTimersByTime(59_000);
  expect(told).toHaveBeenCalledTimes(4);
  vi.advanceTimersByTime(1_000);
  expect(told).toHaveBeenCalledTimes(5);
  streams[0]?.end(LOST);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(told).toHaveBeenCalledTimes(6);
});

test("a lost stream is taken up again, ever later while there is none", async () => {
  const { client, streams } = server();
  new RunNews(client, sight().place).subscribe(() => undefined);
  for (const [count, wait] of [1_000, 2_000, 4_000].entries()) {
    streams[count]?.end(LOST);
    await vi.advanceTimersByTimeAsync(wait - 1);
    expect(streams.length).toBe(count + 1);
    await vi.advanceTimersByTimeAsync(1);
    expect(streams.length).toBe(count + 2);
  }
  streams[3]?.handlers.open();
  streams[3]?.end({ ok: true, value: undefined });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(streams.length).toBe(5);
});

test("a tab that nobody sees holds no stream, and looks when it is seen again", async () => {
  const { client, streams } = server();
  const { place, become } = sight();
  const told = vi.fn();
  new RunNews(client, place).subscribe(told);
  become("hidden");
  expect(streams[0]?.signal.aborted).toBe(true);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(told).not.toHaveBeenCalled();
  become("visible");
  expect(told).toHaveBeenCalledTimes(1);
  expect(streams.length).toBe(2);
});

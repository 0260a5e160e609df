// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClaimWatch } from "./claim_watch";

let hidden = false;

beforeEach(() => {
  vi.useFakeTimers();
  hidden = false;
  vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
});
afterEach(() => {
  vi.useRealTimers();
});

function watching(more = true) {
  const ask = vi.fn(async () => more);
  const watch = new ClaimWatch(ask);
  watch.start();
  return { ask, watch };
}

test("nothing is asked before the reader goes off to claim", async () => {
  const { ask, watch } = watching();
  await vi.advanceTimersByTimeAsync(60 * 60_000);
  expect(ask).not.toHaveBeenCalled();
  watch.stop();
});

test("after that it asks every few seconds, ever more seldom, for a quarter of an hour", async () => {
  const { ask, watch } = watching();
  watch.expect();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(ask).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(20 * 60_000);
  const asked = ask.mock.calls.length;
  expect(asked).toBeGreaterThan(20);
  expect(asked).toBeLessThan(60);
  await vi.advanceTimersByTimeAsync(60 * 60_000);
  expect(ask).toHaveBeenCalledTimes(asked);
  watch.stop();
});

test("a page that nobody looks at asks nothing, and asks at once when it is looked at again", async () => {
  const { ask, watch } = watching();
  watch.expect();
  hidden = true;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ask).not.toHaveBeenCalled();
  hidden = false;
  document.dispatchEvent(new Event("visibilitychange"));
  window.dispatchEvent(new Event("focus"));
  await vi.advanceTimersByTimeAsync(0);
  expect(ask).toHaveBeenCalledTimes(1);
  watch.stop();
});

test("it stops when there is nothing more to wait for", async () => {
  const { ask, watch } = watching(false);
  watch.expect();
  await vi.advanceTimersByTimeAsync(60_000);
  window.dispatchEvent(new Event("focus"));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ask).toHaveBeenCalledTimes(1);
  watch.stop();
});

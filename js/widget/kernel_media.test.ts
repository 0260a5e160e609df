import { expect, test, vi } from "vitest";
import { item } from "../media/items.testing";
import type { KernelMedia } from "../media/kernel";
import { MediaArrivals } from "./kernel_media";

const SCRIPT = new DataView(new ArrayBuffer(1));
const content = (size: number) => new DataView(new ArrayBuffer(size));

/** Arrivals whose script is there when the test says so. */
function arrivals(loads: Promise<object>[]) {
  const taken: [string, number][] = [];
  const media = {
    take: (items: { media_id: string }[], contents: DataView[]) => {
      for (const [i, one] of items.entries()) taken.push([one.media_id, contents[i]?.byteLength ?? 0]);
    },
  } as unknown as KernelMedia;
  const ready = vi.fn();
  return {
    taken,
    ready,
    held: new MediaArrivals(
      () => media,
      ready,
      () => loads.shift() as Promise<never>,
    ),
  };
}

test("items wait for the script that comes with the first, and are not taken for it", async () => {
  const { taken, ready, held } = arrivals([Promise.resolve({})]);
  held.take(false, [item({ media_id: "early" })], [content(1)]);
  expect(ready).not.toHaveBeenCalled();
  held.take(true, [item({ media_id: "a" })], [SCRIPT, content(2)]);
  await vi.waitFor(() => expect(ready).toHaveBeenCalledOnce());
  held.take(false, [item({ media_id: "b" })], [content(3)]);
  held.take(true, [item({ media_id: "a" })], [SCRIPT, content(2)]);
  expect(taken).toEqual([
    ["early", 1],
    ["a", 2],
    ["b", 3],
    ["a", 2],
  ]);
  expect(ready).toHaveBeenCalledOnce();
});

test("a script that could not be loaded is tried again when it is sent again", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const { taken, ready, held } = arrivals([Promise.reject(new Error("no")), Promise.resolve({})]);
  held.take(true, [item({ media_id: "a" })], [SCRIPT, content(2)]);
  await vi.waitFor(() => expect(warned).toHaveBeenCalledOnce());
  await Promise.resolve();
  held.take(true, [item({ media_id: "a" })], [SCRIPT, content(2)]);
  await vi.waitFor(() => expect(ready).toHaveBeenCalledOnce());
  expect(taken.map(([id]) => id)).toEqual(["a", "a"]);
});

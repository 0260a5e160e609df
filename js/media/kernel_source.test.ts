import { expect, test } from "vitest";
import { item } from "./items.testing";
import { KernelSource } from "./kernel_source";
import { MediaStore } from "./store";

const nowhere = async () => null;
const bytes = (text: string) => new DataView(new TextEncoder().encode(text).buffer);
const image = (id: string) => item({ kind: "image", type: "image/png", media_id: id, key: "sample", content: null });

test("a store reads what the kernel sent, and an item that is sent again is not taken twice", async () => {
  const source = new KernelSource(nowhere);
  const store = new MediaStore(source, "r1");
  const [note, picture] = [item({ content: null }), image("a")];
  source.take([note, picture], [bytes("hello"), bytes("PNG")]);
  await store.readTo(source.count);
  source.take([note, picture, item({ ...note, media_id: "b" })], [bytes("hello"), bytes("PNG"), bytes("again")]);
  await store.readTo(source.count);
  expect(store.groups.map((group) => [group.key, group.count])).toEqual([
    ["note", 2],
    ["sample", 1],
  ]);
  expect(store.groups[0]?.stops.flatMap(({ items }) => items.map((one) => store.heldText(one)))).toEqual([
    "hello",
    "again",
  ]);
  const read = await source.mediaContent("r1", "a");
  expect(read.ok && [read.value.type, await read.value.text()]).toEqual(["image/png", "PNG"]);
});

test("what goes on after a restart of the kernel stands behind what was there", async () => {
  const source = new KernelSource(nowhere);
  source.take([image("a")], [bytes("1")]);
  source.take([{ ...image("b"), position: 1 }], [bytes("2")]);
  const page = await source.media("r1", { after: 1 });
  expect(page.ok && page.value.items.map(({ media_id, position }) => [media_id, position])).toEqual([["b", 2]]);
});

test("contents beyond the bound are let go of, the oldest first, and are asked for elsewhere", async () => {
  let server = false;
  const source = new KernelSource(
    async () =>
      server
        ? {
            media: async () => Promise.reject(new Error("not asked")),
            mediaContent: async (_run, id) => ({ ok: true, value: new Blob([`from the server: ${id}`]) }),
          }
        : null,
    8,
  );
  source.take([image("a"), image("b"), image("c")], [bytes("1234"), bytes("5678"), bytes("9")]);
  expect((await source.mediaContent("r1", "b")).ok).toBe(true);
  const missing = await source.mediaContent("r1", "a");
  expect(!missing.ok && missing.problem.detail).toContain("keeps the newest media only");
  server = true;
  const found = await source.mediaContent("r1", "a");
  expect(found.ok && (await found.value.text())).toBe("from the server: a");
});

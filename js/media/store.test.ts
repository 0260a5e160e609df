import { expect, test } from "vitest";
import type { MediaInfo, Problem, Result } from "../api";
import { item } from "./items.testing";
import { type MediaClient, MediaStore } from "./store";

const no = (status: number): Result<never> => ({
  ok: false,
  problem: { type: "about:blank", title: "", status, code: "x", detail: "no way" } satisfies Problem,
});

/** A server that has these items, and answers so many at once. */
function server(items: MediaInfo[], most = 2) {
  const asked: string[] = [];
  const refusals: Result<never>[] = [];
  const client: MediaClient = {
    media: async (_run, { after = 0, kind } = {}) => {
      asked.push(`${after} ${kind ?? ""}`.trim());
      const refusal = refusals.shift();
      if (refusal) return refusal;
      const left = items.filter((one) => one.position > after && (!kind || one.kind === kind));
      const page = left.slice(0, most);
      const position = page.at(-1)?.position ?? after;
      return { ok: true, value: { items: page, position, end: left.length <= most } };
    },
    mediaContent: async (_run, id) => {
      asked.push(id);
      return refusals.shift() ?? { ok: true, value: new Blob([`again ${id}`]) };
    },
  };
  return { client, asked, refusals };
}

function urls() {
  const open = new Set<string>();
  let made = 0;
  return {
    open,
    createObjectURL: () => {
      open.add(`blob:${++made}`);
      return `blob:${made}`;
    },
    revokeObjectURL: (url: string) => void open.delete(url),
  };
}

const items = (n: number, said: Partial<MediaInfo> = {}) =>
  Array.from({ length: n }, (_, i) => item({ position: i + 1, media_id: `m${i + 1}`, step: i, ...said }));

test("all pages are read, once, and read on from the last position", async () => {
  const held = items(3);
  const { client, asked } = server(held);
  const store = new MediaStore(client, "r");
  await store.readTo(3);
  expect(asked).toEqual(["0", "2"]);
  expect(store.groups.map(({ key, count }) => [key, count])).toEqual([["note", 3]]);
  await store.readTo(3);
  expect(asked.length).toBe(2);
  held.push(item({ position: 4, key: "other" }));
  await store.readTo(4);
  expect(asked.at(-1)).toBe("3");
  expect(store.groups.map(({ key }) => key)).toEqual(["note", "other"]);
});

test("what is logged while a page is on its way is read behind it", async () => {
  const held = items(1);
  const { client, asked } = server(held);
  const store = new MediaStore(client, "r");
  const first = store.readTo(1);
  // The server has answered already when the next item is there.
  await Promise.resolve();
  held.push(item({ position: 2, key: "late" }));
  await Promise.all([first, store.readTo(2)]);
  expect([asked, store.groups.map(({ key }) => key)]).toEqual([
    ["0", "1"],
    ["note", "late"],
  ]);
});

test("a failure is told, and the next try goes on from where it was", async () => {
  const { client, asked, refusals } = server(items(4));
  const store = new MediaStore(client, "r");
  const seen: boolean[] = [];
  store.subscribe(() => seen.push(store.problem !== null));
  refusals.push(no(503));
  await store.readTo(4);
  expect([store.problem?.detail, store.loaded]).toEqual(["no way", false]);
  await store.readTo(4);
  expect([store.problem, store.loaded, asked]).toEqual([null, true, ["0", "0", "2"]]);
  expect(seen[0]).toBe(true);
});

test("what the program printed is a log, and no panel", async () => {
  const { client } = server([item({ kind: "console", key: "console", content: "a\nb" }), item({ position: 1000 })]);
  const store = new MediaStore(client, "r");
  await store.readOn();
  expect([store.log.length, store.groups.length]).toEqual([2, 1]);
  expect(await store.wholeLog()).toEqual({ ok: true, value: ["a\nb"] });
});

test("contents are kept up to a size, and those that were let go are asked for again", async () => {
  const { client, asked } = server(items(10, { content: "x".repeat(10) }), 100);
  const store = new MediaStore(client, "r", { mostText: 35 });
  await store.readOn();
  const [first, last] = [store.groups[0]?.stops[0]?.items[0], store.groups[0]?.stops[9]?.items[0]];
  if (!first || !last) throw new Error("no items");
  expect(store.heldText(last)).toBe("x".repeat(10));
  expect(store.heldText(first)).toBeUndefined();
  expect(await Promise.all([store.text(first), store.text(first)])).toEqual(
    Array(2).fill({ ok: true, value: "again m1" }),
  );
  expect(asked.filter((one) => one === "m1")).toHaveLength(1);
  expect(store.heldText(first)).toBe("again m1");
});

test("addresses of pictures are given back when others take their room, and at the end", async () => {
  const { client } = server(items(4, { kind: "image", type: "image/png", content: null }), 100);
  const addresses = urls();
  const store = new MediaStore(client, "r", { mostPictures: 20, urls: addresses });
  await store.readOn();
  for (const stop of store.groups[0]?.stops ?? []) for (const one of stop.items) await store.picture(one);
  expect([...addresses.open]).toEqual(["blob:3", "blob:4"]);
  store.close();
  expect(addresses.open.size).toBe(0);
});

test("a picture that is refused can be asked for again", async () => {
  const { client, refusals } = server(items(1, { kind: "image", type: "image/png", content: null }));
  const store = new MediaStore(client, "r", { urls: urls() });
  await store.readOn();
  const one = store.groups[0]?.stops[0]?.items[0];
  if (!one) throw new Error("no item");
  refusals.push(no(429));
  expect((await store.picture(one)).ok).toBe(false);
  expect((await store.picture(one)).ok).toBe(true);
});

test("histograms make a heat map, and a damaged one is only left out of it", async () => {
  const good = '{"edges": [0, 1], "counts": [1]}';
  const held = [good, "{}", good].map((content, i) => item({ position: i + 1, kind: "histogram", step: i, content }));
  const store = new MediaStore(server(held).client, "r");
  await store.readOn();
  const [group] = store.groups;
  if (!group) throw new Error("no group");
  expect([group.count, store.trackOf(group).columns.map(({ step }) => step)]).toEqual([3, [0, 2]]);
});

import { expect, test } from "vitest";
import { each, tagsIn, withTags } from "./bulk";
import { Refusal } from "./http";

const refusal = (detail: string) => new Refusal({ status: 409, code: "run_exists", detail });

test("what fails is told with its reason, in order, and stops nothing else", async () => {
  const done: number[] = [];
  const failed = await each([1, 2, 3, 4, 5, 6], async (n) => {
    if (n % 2 === 0) throw refusal(`no ${n}`);
    done.push(n);
  });
  expect(failed).toEqual([2, 4, 6].map((n) => ({ thing: n, why: `no ${n}` })));
  expect(done).toEqual([1, 3, 5]);
});

test("no more than a few are done at once, and each is told when it is done", async () => {
  let [now, most] = [0, 0];
  const told: number[] = [];
  await each(
    Array.from({ length: 20 }, (_, i) => i),
    async () => {
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      now -= 1;
    },
    (n) => told.push(n),
  );
  expect(most).toBe(4);
  expect(told).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
});

test("nothing is done to nobody", async () => {
  expect(await each([], async () => {})).toEqual([]);
});

test("tags are written with commas, each counts once, and an empty one is none", () => {
  expect(tagsIn(" a, b ,,a,c d ")).toEqual(["a", "b", "c d"]);
  expect(tagsIn("")).toEqual([]);
  expect(withTags(["x", "a"], ["a", "b"], ["x"])).toEqual(["a", "b"]);
});

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DamagedDataError, decodePlainSegments, decodeSegments, type Frame } from "./decode";
import { encodePlain } from "./encode.testing";

const vectors = new URL("../../tests/vectors/", import.meta.url);
const bytes = (name: string) => new Uint8Array(readFileSync(new URL(`${name}.bin`, vectors)));

interface Said {
  writer: string;
  seq: number;
  frames?: { names: string[]; steps: number[]; times_us: number[]; columns: (number | string)[][] }[];
  damaged?: true;
}
const index = JSON.parse(readFileSync(new URL("segments.json", vectors), "utf8")) as Record<string, Said>;
const names = Object.keys(index);

function numberOf(value: number | string): number {
  if (typeof value === "number") return value;
  return { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, "-inf": Number.NEGATIVE_INFINITY, "-0.0": -0 }[
    value
  ] as number;
}

describe("golden segments", () => {
  test.each(names.filter((name) => index[name]?.frames))("%s reads as Python wrote it", async (name) => {
    const said = index[name] as Said;
    const [segment, ...more] = await decodeSegments(bytes(name));
    expect(more).toEqual([]);
    expect([segment?.writer.toString(), segment?.seq]).toEqual([said.writer, said.seq]);
    const frames = segment?.frames.map((frame) => ({
      names: [...frame.names],
      steps: [...frame.steps],
      times_us: [...frame.times].map((time) => Math.round(time * 1e6)),
      columns: frame.columns.map((column) => [...column]),
    }));
    expect(frames).toEqual(
      said.frames?.map((frame) => ({ ...frame, columns: frame.columns.map((c) => c.map(numberOf)) })),
    );
  });

  test.each(names.filter((name) => index[name]?.damaged))("%s is refused", async (name) => {
    await expect(decodeSegments(bytes(name))).rejects.toThrow(DamagedDataError);
  });

  test("segments that stand back to back are all read", async () => {
    const segments = await decodeSegments(bytes("back_to_back"));
    expect(segments.map(({ frames }) => frames.length)).toEqual([1, 2]);
  });

  test("a compressed segment is refused where only plain ones may come", () => {
    expect(() => decodePlainSegments(bytes("compressed"))).toThrow("compressed");
  });

  test("bytes that do not begin at a multiple of 8 are read alike", () => {
    const shifted = new Uint8Array(bytes("two_frames").length + 3);
    shifted.set(bytes("two_frames"), 3);
    expect(decodePlainSegments(shifted.subarray(3))).toEqual(decodePlainSegments(bytes("two_frames")));
  });
});

const frames: fc.Arbitrary<Frame> = fc
  .tuple(
    fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }), { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 20 }),
  )
  .chain(([names, rows]) =>
    fc.record({
      names: fc.constant(names),
      steps: fc
        .array(fc.maxSafeInteger(), { minLength: rows, maxLength: rows })
        .map((steps) => Float64Array.from(steps)),
      times: fc
        .array(fc.integer({ min: 0, max: 4e9 }), { minLength: rows, maxLength: rows })
        .map((times) => Float64Array.from(times)),
      columns: fc.tuple(...names.map(() => fc.float64Array({ minLength: rows, maxLength: rows }))),
    }),
  );

test("whatever frames are written are read back", () => {
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 3 }), (written) => {
      const [segment] = decodePlainSegments(encodePlain(written));
      expect(segment?.frames).toEqual(written);
    }),
  );
});

test("no damage of a byte goes unseen", () => {
  const good = bytes("two_frames");
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bad = good.slice();
      bad[at] = (bad[at] as number) ^ change;
      expect(() => decodePlainSegments(bad)).toThrow(DamagedDataError);
    }),
  );
});

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DamagedDataError, decodePlainSegments, decodeSegments, type Frame, type Reason } from "./decode";
import { encodePlain, sealed } from "./encode.testing";

const vectors = new URL("../../tests/vectors/", import.meta.url);
const bytes = (name: string) => new Uint8Array(readFileSync(new URL(`${name}.bin`, vectors)));

type Json = number | string;
interface SaidFrame {
  names: string[];
  steps: Json[];
  times_us: Json[];
  columns: Json[][];
}
interface Said {
  writer: string;
  seq: Json;
  frames?: SaidFrame[];
  segments?: string[];
  refused?: Reason;
}
const index = JSON.parse(readFileSync(new URL("segments.json", vectors), "utf8")) as Record<string, Said>;
const names = Object.keys(index);

function bitsOf(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

/** The bits of a column as they lie in memory: a value that is taken out could be another NaN. */
const columnBits = (column: Float64Array) =>
  [...new BigUint64Array(column.slice().buffer)].map((bits) => bits.toString(16).padStart(16, "0"));

function readable(frames: readonly Frame[] | undefined) {
  return frames?.map((frame) => ({
    names: [...frame.names],
    steps: [...frame.steps],
    times: [...frame.times],
    columns: frame.columns.map(columnBits),
  }));
}

function said(frames: SaidFrame[] | undefined) {
  return frames?.map((frame) => ({
    names: frame.names,
    steps: frame.steps.map(Number),
    times: frame.times_us.map((time) => Number(time) / 1e6),
    columns: frame.columns.map((column) => column.map((v) => (typeof v === "string" ? v : bitsOf(v)))),
  }));
}

async function reasonFor(data: Uint8Array): Promise<Reason | "none"> {
  try {
    await decodeSegments(data);
    return "none";
  } catch (error) {
    if (error instanceof DamagedDataError) return error.reason;
    throw error;
  }
}

describe("golden segments", () => {
  test.each(names.filter((name) => index[name]?.frames))("%s reads as Python wrote it", async (name) => {
    const [segment, ...more] = await decodeSegments(bytes(name));
    expect(more).toEqual([]);
    expect([segment?.writer.toString(), segment?.seq]).toEqual([index[name]?.writer, Number(index[name]?.seq)]);
    expect(readable(segment?.frames)).toEqual(said(index[name]?.frames));
  });

  test.each(names.filter((name) => index[name]?.refused))(
    "%s is refused for the reason that Python has",
    async (name) => {
      expect(await reasonFor(bytes(name))).toBe(index[name]?.refused);
    },
  );

  test.each(names.filter((name) => index[name]?.segments))("%s: all of them are read", async (name) => {
    const segments = await decodeSegments(bytes(name));
    expect(segments.map(({ frames }) => readable(frames))).toEqual(
      index[name]?.segments?.map((one) => said(index[one]?.frames)),
    );
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

test("whatever frames are written are read back, bit by bit", () => {
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 3 }), (written) => {
      const [segment] = decodePlainSegments(encodePlain(written));
      expect(readable(segment?.frames)).toEqual(readable(written));
    }),
  );
});

test("any 64 bits are a value, and stay as they are", () => {
  fc.assert(
    fc.property(fc.bigUint64Array({ minLength: 1, maxLength: 50 }), (patterns) => {
      const zeros = new Float64Array(patterns.length);
      const column = new Float64Array(patterns.slice().buffer);
      const [segment] = decodePlainSegments(
        encodePlain([{ names: ["x"], steps: zeros, times: zeros, columns: [column] }]),
      );
      expect(columnBits(segment?.frames[0]?.columns[0] as Float64Array)).toEqual(columnBits(column));
    }),
  );
});

test.each(["one_point", "empty", "two_frames", "odd_names", "nan_payloads"])(
  "%s with any single bit flipped is refused",
  (name) => {
    const data = bytes(name);
    for (let bit = 0; bit < 8 * data.length; bit++) {
      const at = bit >> 3;
      data[at] = (data[at] as number) ^ (1 << (bit & 7));
      expect(() => decodePlainSegments(data)).toThrow(DamagedDataError);
      data[at] = (data[at] as number) ^ (1 << (bit & 7));
    }
  },
);

test.each(["two_frames", "odd_names", "compressed"])("%s that ends after any of its bytes is refused", async (name) => {
  const whole = bytes(name);
  for (let size = 1; size < whole.length; size++) expect(await reasonFor(whole.subarray(0, size))).toBe("cut_off");
});

test("arbitrary bytes are refused and nothing else happens", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (data) => {
      expect(await reasonFor(data)).not.toBe("none");
    }),
  );
});

test("arbitrary bodies under a right checksum are refused, compressed or not", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(300_000), async (body, rawSize) => {
      expect(await reasonFor(sealed(body))).not.toBe("none");
      expect(await reasonFor(sealed(body, { codec: 1, rawSize }))).not.toBe("none");
    }),
  );
});

test("a frame with any byte changed under a right checksum is read or refused", async () => {
  const whole = encodePlain([
    {
      names: ["a", "bé"],
      steps: Float64Array.of(1, 2),
      times: Float64Array.of(3, 4),
      columns: [Float64Array.of(5, 6), Float64Array.of(7, 8)],
    },
  ]).subarray(44);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, value) => {
      const body = whole.slice();
      body[at] = value;
      const reason = await reasonFor(sealed(body, { rows: 2, points: 4 }));
      expect(["none", "frame", "name", "counts"]).toContain(reason);
    }),
  );
});

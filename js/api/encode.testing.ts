/** Writes plain segments, for tests that need to feed a reader. */

import { crc32 } from "./crc32";
import type { Frame } from "./decode";

function frameBytes({ names, steps, times, columns }: Frame): number[] {
  const head = new DataView(new ArrayBuffer(8));
  head.setUint16(0, names.length, true);
  head.setUint32(4, steps.length, true);
  const bytes = [...new Uint8Array(head.buffer)];
  for (const name of names) {
    const text = new TextEncoder().encode(name);
    bytes.push(text.length & 255, text.length >> 8, ...text);
  }
  while (bytes.length % 8) bytes.push(0);
  const integers = (values: Float64Array, scale: number) =>
    new Uint8Array(BigInt64Array.from(values, (value) => BigInt(Math.round(value * scale))).buffer);
  bytes.push(...integers(steps, 1), ...integers(times, 1e6));
  for (const column of columns) bytes.push(...new Uint8Array(column.slice().buffer));
  return bytes;
}

/** What a header says beside what follows from its body. */
interface Said {
  readonly rows?: number;
  readonly points?: number;
  readonly codec?: number;
  readonly rawSize?: number;
}

/** Return a body of any bytes under a header with a right checksum. */
export function sealed(body: ArrayLike<number>, { rows = 0, points = 0, codec = 0, rawSize }: Said = {}) {
  const bytes = new Uint8Array(44 + body.length);
  bytes.set(body, 44);
  bytes.set(new TextEncoder().encode("ANRS\x01"), 0);
  const head = new DataView(bytes.buffer);
  head.setUint8(5, codec);
  head.setUint32(24, rows, true);
  head.setUint32(28, points, true);
  head.setUint32(32, rawSize ?? body.length, true);
  head.setUint32(36, body.length, true);
  head.setUint32(40, crc32(bytes.subarray(44), crc32(bytes.subarray(0, 40))), true);
  return bytes;
}

/** Return one plain segment that holds `frames`. */
export function encodePlain(frames: readonly Frame[]): Uint8Array<ArrayBuffer> {
  const rows = frames.reduce((sum, { steps }) => sum + steps.length, 0);
  const points = frames.reduce((sum, { steps, names }) => sum + steps.length * names.length, 0);
  return sealed(frames.flatMap(frameBytes), { rows, points });
}

/** Return a frame of one metric. */
export function frameOf(
  name: string,
  steps: number[],
  values: number[],
  times = steps.map((step) => 1e9 + step),
): Frame {
  return {
    names: [name],
    steps: Float64Array.from(steps),
    times: Float64Array.from(times),
    columns: [Float64Array.from(values)],
  };
}

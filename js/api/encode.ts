/** Writes plain segments (docs/wire.md): what a page holds of a run, for a file that another page reads. Pure. */

import { crc32 } from "./crc32";
import type { Frame } from "./decode";

const HEAD_SIZE = 44;
/** Well below what a reader takes. */
const MOST_BYTES = 4_000_000;
const MOST_FRAMES = 4_000;
const MOST_COLUMNS = 64_000;

type Bytes = Uint8Array<ArrayBuffer>;

function integers(values: Float64Array, scale: number): Bytes {
  return new Uint8Array(BigInt64Array.from(values, (value) => BigInt(Math.round(value * scale))).buffer);
}

function frameParts({ names, steps, times, columns }: Frame): Bytes[] {
  const head = new DataView(new ArrayBuffer(8));
  head.setUint16(0, names.length, true);
  head.setUint32(4, steps.length, true);
  const parts: Bytes[] = [new Uint8Array(head.buffer)];
  let size = 8;
  for (const name of names) {
    const text = new TextEncoder().encode(name);
    parts.push(Uint8Array.of(text.length & 255, text.length >> 8), text);
    size += 2 + text.length;
  }
  parts.push(new Uint8Array(-size & 7), integers(steps, 1), integers(times, 1e6));
  for (const column of columns) parts.push(new Uint8Array(column.slice().buffer));
  return parts;
}

function joined(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What a header says beside what follows from its body. */
export interface Said {
  readonly seq?: number;
  readonly rows?: number;
  readonly points?: number;
  readonly codec?: number;
  readonly rawSize?: number;
}

/** Return a body of any bytes under a header with a right checksum. */
export function sealed(
  body: ArrayLike<number>,
  { seq = 0, rows = 0, points = 0, codec = 0, rawSize }: Said = {},
): Bytes {
  const bytes = new Uint8Array(HEAD_SIZE + body.length);
  bytes.set(body, HEAD_SIZE);
  bytes.set(new TextEncoder().encode("ANRS\x01"), 0);
  const head = new DataView(bytes.buffer);
  head.setUint8(5, codec);
  head.setBigUint64(16, BigInt(seq), true);
  head.setUint32(24, rows, true);
  head.setUint32(28, points, true);
  head.setUint32(32, rawSize ?? body.length, true);
  head.setUint32(36, body.length, true);
  head.setUint32(40, crc32(bytes.subarray(HEAD_SIZE), crc32(bytes.subarray(0, 40))), true);
  return bytes;
}

const rowsOf = (frames: readonly Frame[]) => frames.reduce((sum, { steps }) => sum + steps.length, 0);

/** Return how many points frames hold. */
export function pointsOf(frames: readonly Frame[]): number {
  return frames.reduce((sum, { steps, names }) => sum + steps.length * names.length, 0);
}

/** Return one plain segment that holds `frames`. */
export function encodePlain(frames: readonly Frame[], seq = 0): Bytes {
  return sealed(joined(frames.flatMap(frameParts)), { seq, rows: rowsOf(frames), points: pointsOf(frames) });
}

/** Cut frames so that each piece fits into a segment. */
function* pieces(frames: readonly Frame[]): Generator<readonly [Frame, bytes: number]> {
  for (const { names, steps, times, columns } of frames) {
    const row = 8 * (2 + names.length);
    const most = Math.max(1, Math.floor(MOST_BYTES / row));
    const named = names.reduce((sum, name) => sum + 2 + 3 * name.length, 16);
    for (let from = 0; from < steps.length; from += most) {
      const cut = (column: Float64Array) => column.subarray(from, from + most);
      const piece = { names, steps: cut(steps), times: cut(times), columns: columns.map(cut) };
      yield [piece, named + row * piece.steps.length];
    }
  }
}

/** Return segments back to back that hold `frames`, however many, as one stream. */
export function encodeAll(frames: readonly Frame[]): Bytes {
  const segments: Bytes[] = [];
  let [held, bytes, columns, seq]: [Frame[], number, number, number] = [[], 0, 0, 0];
  const close = () => {
    if (held.length) segments.push(encodePlain(held, seq));
    seq += rowsOf(held);
    [held, bytes, columns] = [[], 0, 0];
  };
  for (const [piece, size] of pieces(frames)) {
    const full = bytes + size > MOST_BYTES || held.length === MOST_FRAMES;
    if (full || columns + piece.names.length > MOST_COLUMNS) close();
    held.push(piece);
    bytes += size;
    columns += piece.names.length;
  }
  close();
  return joined(segments);
}

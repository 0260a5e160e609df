/**
 * Reads segments: the bytes in which points travel. The format is described in `anonrun.core.wire`, and
 * `tests/vectors/` holds examples that both readers must read alike.
 *
 * Invariant: what is returned is checked in full (checksum, sizes, counts); anything else throws
 * `DamagedDataError` and never yields a part.
 */

import { crc32 } from "./crc32";

/** Rows that hold the same metrics; `columns[i]` are the values of `names[i]`, one for each step. */
export interface Frame {
  readonly names: readonly string[];
  /** Exact up to 2^53. */
  readonly steps: Float64Array;
  /** Seconds since the Unix epoch, to the microsecond. */
  readonly times: Float64Array;
  readonly columns: readonly Float64Array[];
}

/** One flush of a writer: `rows` rows, the first of which is number `seq` of its stream. */
export interface Segment {
  readonly writer: bigint;
  readonly seq: number;
  readonly rows: number;
  readonly points: number;
  readonly frames: readonly Frame[];
}

/** Bytes that are no whole, undamaged segment. */
export class DamagedDataError extends Error {
  override name = "DamagedDataError";
}

const HEADER_SIZE = 44;
const MAGIC = 0x53524e41; // "ANRS", little-endian
const MAX_RAW_SIZE = 8 * 2 ** 20;
const MAX_NAME_BYTES = 4 * 256;
const CODEC_RAW = 0;
const CODEC_ZLIB = 1;

interface Header extends Omit<Segment, "frames"> {
  readonly codec: number;
  readonly rawSize: number;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Bytes of header and body. */
  readonly size: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

function bytesOf(data: ArrayBuffer | ArrayBufferView): Bytes {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

function readHeader(bytes: Bytes, offset: number): Header {
  const left = bytes.length - offset;
  if (left < HEADER_SIZE) throw new DamagedDataError(`A segment's header has ${HEADER_SIZE} bytes; ${left} are there.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, left);
  if (view.getUint32(0, true) !== MAGIC) throw new DamagedDataError("These bytes are no segment.");
  const codec = view.getUint8(5);
  if (view.getUint8(4) !== 1 || view.getUint16(6, true) !== 0 || codec > CODEC_ZLIB) {
    throw new DamagedDataError("This segment's version or codec is not known here; update anonrun.");
  }
  const rawSize = view.getUint32(32, true);
  const bodySize = view.getUint32(36, true);
  if (rawSize > MAX_RAW_SIZE || (codec === CODEC_RAW && rawSize !== bodySize)) {
    throw new DamagedDataError(`A segment of ${rawSize} bytes is over the limit of ${MAX_RAW_SIZE}.`);
  }
  if (bodySize > left - HEADER_SIZE) {
    throw new DamagedDataError(`The segment ends after ${left} of ${HEADER_SIZE + bodySize} bytes.`);
  }
  const body = bytes.subarray(offset + HEADER_SIZE, offset + HEADER_SIZE + bodySize);
  if (crc32(body, crc32(bytes.subarray(offset, offset + 40))) !== view.getUint32(40, true)) {
    throw new DamagedDataError("The segment's checksum does not match its bytes.");
  }
  return {
    codec,
    rawSize,
    body,
    size: HEADER_SIZE + bodySize,
    writer: view.getBigUint64(8, true),
    seq: Number(view.getBigUint64(16, true)),
    rows: view.getUint32(24, true),
    points: view.getUint32(28, true),
  };
}

function* headers(bytes: Bytes): Generator<Header> {
  for (let offset = 0; offset < bytes.length; ) {
    const header = readHeader(bytes, offset);
    yield header;
    offset += header.size;
  }
}

async function unpack(header: Header): Promise<Bytes> {
  if (header.codec === CODEC_RAW) return header.body;
  const reader = new Blob([header.body]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const raw = new Uint8Array(header.rawSize);
  let filled = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (filled + part.value.length > raw.length) throw new RangeError("more than announced");
      raw.set(part.value, filled);
      filled += part.value.length;
    }
  } catch {
    await reader.cancel().catch(() => undefined); // the stream is broken already; the error below says so
    throw new DamagedDataError("The segment's body does not decompress.");
  }
  if (filled !== raw.length) throw new DamagedDataError("The segment's body has another size than its header says.");
  return raw;
}

/** i64 columns as numbers; `scale` divides them. */
function integersAt(raw: Bytes, at: number, count: number, scale: number): Float64Array {
  const words = new DataView(raw.buffer, raw.byteOffset + at, 8 * count);
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    numbers[i] = (words.getInt32(8 * i + 4, true) * 2 ** 32 + words.getUint32(8 * i, true)) / scale;
  }
  return numbers;
}

function doublesAt(raw: Bytes, at: number, count: number): Float64Array {
  // A copy: columns outlive the message that they came in, and its buffer need not be aligned.
  return new Float64Array(raw.slice(at, at + 8 * count).buffer);
}

function readFrames(raw: Bytes): Frame[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const frames: Frame[] = [];
  let at = 0;
  while (at < raw.length) {
    if (at + 8 > raw.length) throw new DamagedDataError("A frame's header is cut off.");
    const count = view.getUint16(at, true);
    const rows = view.getUint32(at + 4, true);
    if (view.getUint16(at + 2, true) || !count || !rows) {
      throw new DamagedDataError("A frame must hold at least one metric and one row.");
    }
    at += 8;
    const names: string[] = [];
    for (let i = 0; i < count; i++) {
      const size = at + 2 > raw.length ? Number.POSITIVE_INFINITY : view.getUint16(at, true);
      at += 2;
      if (size > MAX_NAME_BYTES || at + size > raw.length) {
        throw new DamagedDataError("A frame ends within its metric names.");
      }
      try {
        names.push(text.decode(raw.subarray(at, at + size)));
      } catch {
        throw new DamagedDataError("A metric's name is not UTF-8.");
      }
      at += size;
    }
    at += -at & 7;
    const width = 8 * rows;
    if (at + width * (2 + count) > raw.length) throw new DamagedDataError("A frame's columns are cut off.");
    const start = at;
    frames.push({
      names,
      steps: integersAt(raw, start, rows, 1),
      times: integersAt(raw, start + width, rows, 1e6),
      columns: names.map((_, i) => doublesAt(raw, start + width * (2 + i), rows)),
    });
    at += width * (2 + count);
  }
  return frames;
}

function finish({ writer, seq, rows, points }: Header, raw: Bytes): Segment {
  const frames = readFrames(raw);
  const heldRows = frames.reduce((sum, frame) => sum + frame.steps.length, 0);
  const heldPoints = frames.reduce((sum, frame) => sum + frame.steps.length * frame.names.length, 0);
  if (heldRows !== rows || heldPoints !== points) {
    throw new DamagedDataError("The segment holds another number of rows or points than its header says.");
  }
  return { writer, seq, rows, points, frames };
}

/** Return the segments that stand back to back in `data`. Throws `DamagedDataError`. */
export async function decodeSegments(data: ArrayBuffer | ArrayBufferView): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const header of headers(bytesOf(data))) segments.push(finish(header, await unpack(header)));
  return segments;
}

/** The same at once, for segments that are not compressed, as a kernel sends them to its page. */
export function decodePlainSegments(data: ArrayBuffer | ArrayBufferView): Segment[] {
  const segments: Segment[] = [];
  for (const header of headers(bytesOf(data))) {
    if (header.codec !== CODEC_RAW)
      throw new DamagedDataError("This segment is compressed, which is not allowed here.");
    segments.push(finish(header, header.body));
  }
  return segments;
}

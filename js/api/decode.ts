/**
 * Reads segments: the bytes in which points travel. `docs/wire.md` describes the format and the order of the checks,
 * and `tests/vectors/` holds examples that both readers must read alike, or refuse for the same reason.
 *
 * Invariant: what is returned is checked in full (checksum, sizes, counts); anything else throws
 * `DamagedDataError` and never yields a part.
 */

import { adler32 } from "./adler32";
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

/** Which check of `docs/wire.md` did not hold. */
export type Reason =
  | "cut_off"
  | "not_a_segment"
  | "version"
  | "codec"
  | "too_large"
  | "sizes"
  | "checksum"
  | "seq"
  | "counts"
  | "unpack"
  | "frame"
  | "name";

/** Bytes that are no whole, undamaged segment. */
export class DamagedDataError extends Error {
  override name = "DamagedDataError";

  constructor(
    readonly reason: Reason,
    message: string,
  ) {
    super(message);
  }
}

const HEADER_SIZE = 44;
const CRC_AT = 40;
const MAGIC = 0x53524e41; // "ANRS", little-endian
const VERSION = 1;
const CODEC_RAW = 0;
const CODEC_ZLIB = 1;
const MAX_ZLIB_RATIO = 1032;
const MAX_RAW_SIZE = 8388608;
const MAX_NAME_BYTES = 1024;
const MAX_FRAMES = 16384;
const MAX_COLUMNS = 131072;
const MAX_SEQ = 2n ** 63n;

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
  if (left < HEADER_SIZE)
    throw new DamagedDataError("cut_off", `A segment's header has ${HEADER_SIZE} bytes; only ${left} are there.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, left);
  if (view.getUint32(0, true) !== MAGIC) throw new DamagedDataError("not_a_segment", "These bytes are no segment.");
  const version = view.getUint8(4);
  const codec = view.getUint8(5);
  if (version !== VERSION || view.getUint16(6, true) !== 0)
    throw new DamagedDataError("version", `Segment version ${version} is not known here; update anonrun.`);
  if (codec > CODEC_ZLIB) throw new DamagedDataError("codec", `Segment codec ${codec} is not known here.`);
  const rawSize = view.getUint32(32, true);
  const bodySize = view.getUint32(36, true);
  if (rawSize > MAX_RAW_SIZE)
    throw new DamagedDataError("too_large", `A segment of ${rawSize} bytes is over the limit of ${MAX_RAW_SIZE}.`);
  if (codec === CODEC_RAW ? rawSize !== bodySize : rawSize > MAX_ZLIB_RATIO * bodySize)
    throw new DamagedDataError("sizes", `A segment's body of ${bodySize} bytes cannot hold ${rawSize}.`);
  if (bodySize > left - HEADER_SIZE)
    throw new DamagedDataError("cut_off", `The segment ends after ${left} of ${HEADER_SIZE + bodySize} bytes.`);
  const body = bytes.subarray(offset + HEADER_SIZE, offset + HEADER_SIZE + bodySize);
  if (crc32(body, crc32(bytes.subarray(offset, offset + CRC_AT))) !== view.getUint32(CRC_AT, true))
    throw new DamagedDataError("checksum", "The segment's checksum does not match its bytes.");
  const seq = view.getBigUint64(16, true);
  const rows = view.getUint32(24, true);
  const points = view.getUint32(28, true);
  if (seq + BigInt(rows) >= MAX_SEQ) throw new DamagedDataError("seq", `Segment seq ${seq} is over the limit of 2^63.`);
  if (16 * rows + 8 * points > rawSize || points < rows)
    throw new DamagedDataError("counts", `A segment of ${rawSize} bytes cannot hold ${rows} rows, ${points} points.`);
  const writer = view.getBigUint64(8, true);
  return { codec, rawSize, body, size: HEADER_SIZE + bodySize, writer, seq: Number(seq), rows, points };
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
    throw new DamagedDataError("unpack", "The segment's body does not decompress.");
  }
  // Not every engine refuses what stands behind the stream (Node.js 20 does not): the checksum must be its end.
  const tail = new DataView(header.body.buffer, header.body.byteOffset + header.body.length - 4, 4);
  if (filled !== raw.length || adler32(raw) !== tail.getUint32(0))
    throw new DamagedDataError("unpack", "The segment's body has another size than its header says.");
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

/** Where a frame's columns lie in a body: steps at `start`, then times, then values, 8 bytes each. */
interface Place {
  readonly names: readonly string[];
  readonly rows: number;
  readonly start: number;
}

/** Return where each of `count` names that begin at `at` ends. */
function endsOfNames(view: DataView, at: number, count: number): number[] {
  const ends: number[] = [];
  let end = at;
  for (let i = 0; i < count; i++) {
    if (end + 2 > view.byteLength) throw new DamagedDataError("frame", "A frame ends within its metric names.");
    const size = view.getUint16(end, true);
    if (!size || size > MAX_NAME_BYTES)
      throw new DamagedDataError("name", `A metric's name has ${size} bytes; it must have 1 to ${MAX_NAME_BYTES}.`);
    end += 2 + size;
    ends.push(end);
  }
  if (end > view.byteLength) throw new DamagedDataError("frame", "A frame ends within its metric names.");
  return ends;
}

function namesAt(raw: Bytes, at: number, ends: readonly number[]): string[] {
  // Not the decoder's default: a name that begins with U+FEFF is another name than the one without.
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let names: string[];
  try {
    names = ends.map((end, i) => text.decode(raw.subarray((ends[i - 1] ?? at) + 2, end)));
  } catch {
    throw new DamagedDataError("name", "A metric's name is not UTF-8.");
  }
  if (new Set(names).size !== names.length) throw new DamagedDataError("name", "A frame names a metric twice.");
  return names;
}

/** Return where the frames of a body lie, each checked in full; no column is made before. */
function placesIn(raw: Bytes): Place[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  const places: Place[] = [];
  let columns = 0;
  let at = 0;
  while (at < raw.length) {
    if (at + 8 > raw.length) throw new DamagedDataError("frame", "A frame's header is cut off.");
    const count = view.getUint16(at, true);
    const rows = view.getUint32(at + 4, true);
    if (view.getUint16(at + 2, true) || !count || !rows)
      throw new DamagedDataError("frame", "A frame must hold at least one metric and one row.");
    columns += count;
    if (places.length >= MAX_FRAMES || columns > MAX_COLUMNS)
      throw new DamagedDataError("too_large", `A segment may hold ${MAX_FRAMES} frames and ${MAX_COLUMNS} columns.`);
    at += 8;
    const ends = endsOfNames(view, at, count);
    const end = ends[count - 1] as number;
    const start = end + (-end & 7);
    const stop = start + 8 * rows * (2 + count);
    if (stop > raw.length) throw new DamagedDataError("frame", "A frame's columns are cut off.");
    if (raw.subarray(end, start).some((byte) => byte !== 0))
      throw new DamagedDataError("frame", "The bytes between a frame's names and columns must be zero.");
    places.push({ names: namesAt(raw, at, ends), rows, start });
    at = stop;
  }
  return places;
}

function frameAt(raw: Bytes, { names, rows, start }: Place): Frame {
  const width = 8 * rows;
  return {
    names,
    steps: integersAt(raw, start, rows, 1),
    times: integersAt(raw, start + width, rows, 1e6),
    columns: names.map((_, i) => doublesAt(raw, start + width * (2 + i), rows)),
  };
}

function finish({ writer, seq, rows, points }: Header, raw: Bytes): Segment {
  const places = placesIn(raw);
  const heldRows = places.reduce((sum, place) => sum + place.rows, 0);
  const heldPoints = places.reduce((sum, place) => sum + place.rows * place.names.length, 0);
  if (heldRows !== rows || heldPoints !== points)
    throw new DamagedDataError("counts", "The segment holds another number of rows or points than its header says.");
  return { writer, seq, rows, points, frames: places.map((place) => frameAt(raw, place)) };
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
      throw new DamagedDataError("codec", "This segment is compressed, which is not allowed here.");
    segments.push(finish(header, header.body));
  }
  return segments;
}

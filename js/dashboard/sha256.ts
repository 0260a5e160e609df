/**
 * SHA-256 (FIPS 180-4). `crypto.subtle` exists in secure contexts only, and a lab's server is often reached by plain
 * HTTP; share links must be made there too. Used for tokens of 42 characters, so clarity goes before speed.
 */

const ROUND_CONSTANTS = fractionsOfRoots(64, 3);
const INITIAL_STATE = fractionsOfRoots(8, 2);

/** The first 32 bits of the fractional parts of the `root`-th roots of the first `count` primes. */
function fractionsOfRoots(count: number, root: 2 | 3): Uint32Array {
  const out = new Uint32Array(count);
  for (let n = 2, found = 0; found < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n && prime; d++) prime = n % d !== 0;
    if (prime) out[found++] = integerRoot(BigInt(n) << BigInt(32 * root), root);
  }
  return out;
}

/** The low 32 bits of the integer `root`-th root; the high ones are the whole part, which is not wanted. */
function integerRoot(value: bigint, root: 2 | 3): number {
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const mid = (low + high) >> 1n;
    if (mid ** BigInt(root) <= value) low = mid;
    else high = mid;
  }
  return Number(low & 0xffffffffn);
}

const rotate = (x: number, by: number) => (x >>> by) | (x << (32 - by));

function padded(bytes: Uint8Array): DataView {
  const size = Math.ceil((bytes.length + 9) / 64) * 64;
  const block = new Uint8Array(size);
  block.set(bytes);
  block[bytes.length] = 0x80;
  const view = new DataView(block.buffer);
  view.setBigUint64(size - 8, BigInt(bytes.length) * 8n);
  return view;
}

function schedule(view: DataView, at: number, w: Uint32Array): void {
  for (let i = 0; i < 16; i++) w[i] = view.getUint32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const a = w[i - 15] as number;
    const b = w[i - 2] as number;
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    w[i] = (w[i - 16] as number) + s0 + (w[i - 7] as number) + s1;
  }
}

type State = [number, number, number, number, number, number, number, number];

function mix([a, b, c, d, e, f, g, h]: State, w: Uint32Array): State {
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + (ROUND_CONSTANTS[i] as number) + (w[i] as number);
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  return [a, b, c, d, e, f, g, h];
}

/** Return the SHA-256 of text (as UTF-8) in lower-case hexadecimal. */
export function sha256Hex(text: string): string {
  const view = padded(new TextEncoder().encode(text));
  const state = INITIAL_STATE.slice();
  const w = new Uint32Array(64);
  for (let at = 0; at < view.byteLength; at += 64) {
    schedule(view, at, w);
    mix([...state] as State, w).forEach((word, i) => {
      state[i] = (state[i] as number) + word;
    });
  }
  return [...state].map((word) => word.toString(16).padStart(8, "0")).join("");
}

/** Adler-32, the checksum at the end of a zlib stream (RFC 1950). */

const MODULUS = 65521;
const BLOCK = 5552; // so many bytes never carry a sum beyond 32 bits

/** Return the Adler-32 of `bytes`. */
export function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (let start = 0; start < bytes.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, bytes.length);
    for (let i = start; i < end; i++) {
      low += bytes[i] as number;
      high += low;
    }
    low %= MODULUS;
    high %= MODULUS;
  }
  return ((high << 16) | low) >>> 0;
}

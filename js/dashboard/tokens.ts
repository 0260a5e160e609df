/** Share tokens, made in the browser as the protocol asks: the server learns their hash only. */
import { crc32 } from "../api/crc32";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_CHARS = 30;

function base62(number: number, width: number): string {
  let digits = "";
  for (let rest = number; digits.length < width; rest = Math.floor(rest / 62)) digits = ALPHABET[rest % 62] + digits;
  return digits;
}

/** Return `head` with its checksum, as every token ends. */
export function withChecksum(head: string): string {
  return head + base62(crc32(new TextEncoder().encode(head)), 6);
}

/** Make a share token. Bytes above 247 are thrown away, so that every character is equally likely. */
export function mintShareToken(
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array = (b) => crypto.getRandomValues(b),
): string {
  let text = "";
  while (text.length < RANDOM_CHARS) {
    for (const byte of random(new Uint8Array(64))) {
      if (byte < 248 && text.length < RANDOM_CHARS) text += ALPHABET[byte % 62];
    }
  }
  return withChecksum(`anr_s_${text}`);
}

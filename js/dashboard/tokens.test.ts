import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256Hex } from "./sha256";
import { mintShareToken, withChecksum } from "./tokens";

test("a token ends with the checksum that anonrun.core.tokens gives it", () => {
  // Made by `anonrun.core.tokens.mint(TokenKind.SHARE, lambda alphabet: alphabet[10])`.
  expect(withChecksum(`anr_s_${"A".repeat(30)}`)).toBe("anr_s_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA4GdaGW");
});

test("a minted token has the published form and differs each time", () => {
  const made = Array.from({ length: 200 }, () => mintShareToken());
  for (const token of made) expect(token).toMatch(/^anr_s_[0-9A-Za-z]{36}$/);
  expect(new Set(made).size).toBe(200);
});

test("bytes that would favour some characters are thrown away", () => {
  const bytes = [255, 250, 248, 0, 61, 62, 247];
  const token = mintShareToken((into) => into.map((_, i) => bytes[i % bytes.length] as number));
  expect(token.slice(6, 10)).toBe("0z0z");
});

test("SHA-256 agrees with Node's for any text", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300, unit: "grapheme" }), (text) => {
      expect(sha256Hex(text)).toBe(createHash("sha256").update(text).digest("hex"));
    }),
  );
});

test.each([55, 56, 63, 64, 119, 120])("SHA-256 pads %i bytes as the standard says", (size) => {
  const text = "a".repeat(size);
  expect(sha256Hex(text)).toBe(createHash("sha256").update(text).digest("hex"));
});

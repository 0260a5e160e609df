import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { adler32 } from "./adler32";

function lastWordOfZlib(bytes: Uint8Array): number {
  return deflateSync(bytes).readUInt32BE(deflateSync(bytes).length - 4);
}

test("it is what zlib puts behind its stream", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => adler32(bytes) === lastWordOfZlib(bytes)));
});

test("no sum of large bytes overflows", () => {
  const bytes = new Uint8Array(1_000_000).fill(255);
  expect(adler32(bytes)).toBe(lastWordOfZlib(bytes));
});

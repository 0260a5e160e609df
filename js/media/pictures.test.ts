import { expect, test } from "vitest";
import { item } from "./items.testing";
import { extensionOf, pictureName, sizeIn } from "./pictures";

test("a picture is named by its caption, else by its number", () => {
  expect([item({ caption: "a <b>" }), item({ caption: " ", index: 2 })].map(pictureName)).toEqual([
    "a <b>",
    "picture 3",
  ]);
  expect(extensionOf(item({ type: "image/jpeg" }))).toBe("jpg");
});

test("tiny pictures grow by whole numbers; large ones shrink to the room, and none is blown up", () => {
  const room = { width: 1000, height: 500 };
  expect(sizeIn({ width: 28, height: 28 }, room)).toEqual({ width: 476, height: 476 });
  expect(sizeIn({ width: 4000, height: 1000 }, room)).toEqual({ width: 1000, height: 250 });
  expect(sizeIn({ width: 400, height: 300 }, room)).toEqual({ width: 400, height: 300 });
});

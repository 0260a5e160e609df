import fc from "fast-check";
import { expect, test } from "vitest";
import { href, nextPath, readPage } from "./page";

test("links are made below the prefix, and at the root without one", () => {
  expect(href({ prefix: "/user/ada/anonrun" }, "/r/1")).toBe("/user/ada/anonrun/r/1");
  expect(href({ prefix: "" }, "r/1")).toBe("/r/1");
});

test("a page without an account is nobody's, and an unknown kind is never a user", () => {
  expect(readPage({ page: "runs" })).toMatchObject({ account: null, local: false, prefix: "" });
  expect(readPage({ account: "x", accountKind: "admin" }).account).toEqual({ name: "x", kind: "anonymous" });
});

test("sign-up is open unless the server says that it needs an invitation", () => {
  expect(readPage({ signUp: "invitation" }).signUp).toBe(false);
  expect([readPage({ signUp: "open" }).signUp, readPage({}).signUp]).toEqual([true, true]);
});

test.each(["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "r/1", "", "\\\\evil"])(
  "after signing in, %j is not where to go",
  (next) => {
    expect(nextPath(`?next=${encodeURIComponent(next)}`)).toBe("/");
  },
);

test("after signing in, a path on this server is where to go", () => {
  expect(nextPath("?next=%2Fr%2F1%3Fa%3Db")).toBe("/r/1?a=b");
  expect(nextPath("")).toBe("/");
});

test("whatever next says, the way leads to this origin", () => {
  fc.assert(
    fc.property(fc.string(), (next) => {
      const path = nextPath(`?next=${encodeURIComponent(next)}`);
      expect(new URL(path, "http://here.example").origin).toBe("http://here.example");
      expect(new URL(href({ prefix: "" }, path), "http://here.example").origin).toBe("http://here.example");
    }),
  );
});

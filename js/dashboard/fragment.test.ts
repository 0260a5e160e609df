import { expect, test } from "vitest";
import { mayHoldSecret, parseFragment, takeFragment } from "./fragment";

const VIEW = "anr_v_0123456789abcdefghijABCDEFGHIJ012345";
const CLAIM = "anr_c_0123456789abcdefghijABCDEFGHIJ012345";

test("a private link's fragment holds a view and a claim token", () => {
  expect(parseFragment(`#v=${VIEW}&c=${CLAIM}`)).toEqual({ view: VIEW, claim: CLAIM });
});

test("an invitation is taken from the link that brought it", () => {
  const invitation = "anr_i_0123456789abcdefghijABCDEFGHIJ012345";
  expect(parseFragment(`#i=${invitation}`)).toEqual({ invitation });
});

test("names that are not ours, and empty ones, are ignored", () => {
  expect(parseFragment("#x=1&v=&__proto__=2")).toEqual({});
});

function placeAt(hash: string) {
  const replaced: string[] = [];
  const place = { hash, pathname: "/p/r/1", search: "?a=b" } as Location;
  const history = { state: null, replaceState: (_s: unknown, _t: string, url: string) => replaced.push(url) };
  return { replaced, take: () => takeFragment(place, history as unknown as History) };
}

test("taking the secrets leaves an address without them, path and query as they were", () => {
  const { take, replaced } = placeAt(`#s=${VIEW}`);
  expect(take()).toEqual({ share: VIEW });
  expect(replaced).toEqual(["/p/r/1?a=b"]);
});

test("a damaged secret is taken out of the address too", () => {
  const { take, replaced } = placeAt("#anr_v_half");
  expect(take()).toEqual({});
  expect(replaced).toHaveLength(1);
});

test("an anchor of the page stays in the address", () => {
  const { take, replaced } = placeAt("#main");
  take();
  expect(replaced).toEqual([]);
  expect(mayHoldSecret("")).toBe(false);
});

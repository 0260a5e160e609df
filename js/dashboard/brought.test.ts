import { expect, test } from "vitest";
import { parseBrought, takeBrought } from "./brought";

test("what a provider brings is read, and nothing else", () => {
  expect(parseBrought("?state=s&code=c&iss=https%3A%2F%2Flab.example&scope=openid")).toEqual({
    state: "s",
    code: "c",
    iss: "https://lab.example",
  });
  expect(parseBrought("?error=access_denied&state=s&error_description=no")).toEqual({
    state: "s",
    error: "access_denied",
  });
});

test("a query without a state is no provider's", () => {
  expect(parseBrought("?code=c")).toBeNull();
  expect(parseBrought("")).toBeNull();
});

test("it leaves the address and this entry of the history", () => {
  const written: unknown[] = [];
  const place = { search: "?state=s&code=c", pathname: "/sign-in/lab/return" } as Location;
  const history = { state: null, replaceState: (...all: unknown[]) => written.push(all) } as unknown as History;
  expect(takeBrought(place, history)).toEqual({ state: "s", code: "c" });
  expect(written).toEqual([[null, "", "/sign-in/lab/return"]]);
});

// @vitest-environment jsdom
import { afterEach, describe, expect, test } from "vitest";
import { jupyterBase, reach } from "./address";

const server = { url: "http://127.0.0.1:8123", instance: "mine", embedded: true };

/** Answers `healthz` with the instance that stands at an address. */
function world(at: Record<string, unknown>): typeof fetch {
  return async (input) => {
    const instance = at[String(input).replace(/healthz$/, "")];
    if (instance === undefined) throw new TypeError("refused");
    return new Response(JSON.stringify(instance));
  };
}

describe("the server is reached", () => {
  test("through Jupyter's proxy where that leads to the same server", async () => {
    const fetcher = world({
      "http://hub/user/a/anonrun/": { instance: "mine" },
      "http://127.0.0.1:8123/": { instance: "mine" },
    });
    expect(await reach(server, "http://hub/user/a/", fetcher)).toEqual({
      base: "http://hub/user/a/anonrun/",
      answers: true,
    });
  });

  test("directly where the proxy leads to another one, or nowhere", async () => {
    const direct = { base: "http://127.0.0.1:8123/", answers: true };
    const other = { "http://hub/anonrun/": { instance: "other" }, "http://127.0.0.1:8123/": { instance: "mine" } };
    expect(await reach(server, "http://hub/", world(other))).toEqual(direct);
    expect(await reach(server, null, world(other))).toEqual(direct);
  });

  test("not at all, but its address still makes links", async () => {
    expect(await reach(server, "http://hub/", world({}))).toEqual({ base: "http://127.0.0.1:8123/", answers: false });
    expect(await reach({ ...server, url: null }, "http://hub/", world({}))).toBeNull();
    expect(await reach(undefined, "http://hub/", world({}))).toBeNull();
  });

  test("not by a login page that answers in its place", async () => {
    const fetcher: typeof fetch = async () => new Response("<html>");
    expect(await reach(server, "http://hub/", fetcher)).toMatchObject({ answers: false });
  });
});

describe("Jupyter's base", () => {
  afterEach(() => {
    document.body.innerHTML = "";
    document.body.removeAttribute("data-base-url");
  });

  test("is read from the page's configuration", () => {
    document.body.innerHTML =
      '<script id="jupyter-config-data" type="application/json">{"baseUrl": "/user/a"}</script>';
    expect(jupyterBase(document)).toBe("http://localhost:3000/user/a/");
  });

  test("is unknown on a page that says none, or says nonsense", () => {
    expect(jupyterBase(document)).toBeNull();
    document.body.innerHTML = '<script id="jupyter-config-data" type="application/json">{</script>';
    expect(jupyterBase(document)).toBeNull();
  });
});

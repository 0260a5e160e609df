import { describe, expect, test } from "vitest";
import { Client } from "./client";
import { encodePlain, frameOf } from "./encode.testing";

const TOKEN = "anr_v_secret";

/** A client whose requests are noted and answered by `answer`. */
function clientOf(answer: () => Response | Promise<Response>, token: string | null = null) {
  const asked: Request[] = [];
  const client = new Client({
    base: "http://server.test/prefix/",
    token: () => token,
    fetch: async (input, init) => {
      asked.push(new Request(input as string, init));
      return answer();
    },
  });
  return { client, asked };
}

function json(status: number, body: unknown, type = "application/json"): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": type } });
}

describe("requests", () => {
  test("a token travels in the header and never in the address", async () => {
    const { client, asked } = clientOf(() => json(200, {}), TOKEN);
    await client.run("r");
    await client.sampled("r", { metrics: ["a b", "c&d"], points: 10 });
    for (const request of asked) {
      expect(request.headers.get("authorization")).toBe(`Bearer ${TOKEN}`);
      expect(request.url).not.toContain(TOKEN);
    }
    expect(asked[1]?.url).toBe("http://server.test/prefix/api/v1/runs/r/sampled?metric=a+b&metric=c%26d&points=10");
  });

  test("without a token none is sent, and the cookie speaks", async () => {
    const { client, asked } = clientOf(() => json(200, {}));
    await client.run("r");
    expect(asked[0]?.headers.has("authorization")).toBe(false);
    expect(asked[0]?.credentials).toBe("same-origin");
  });

  test("what changes something is sent as JSON, so that no foreign form can do it", async () => {
    const { client, asked } = clientOf(() => new Response(null, { status: 204 }));
    expect(await client.deleteRun("r")).toEqual({ ok: true, value: undefined });
    expect([asked[0]?.method, asked[0]?.headers.get("content-type")]).toEqual(["DELETE", "application/json"]);
  });

  test("a run's id cannot reach another address", async () => {
    const { client, asked } = clientOf(() => json(200, {}));
    await client.run("../account");
    expect(asked[0]?.url).toBe("http://server.test/prefix/api/v1/runs/..%2Faccount");
  });
});

describe("refusals are values", () => {
  test("a problem is given back as the server said it", async () => {
    const said = { type: "about:blank", title: "Gone", status: 410, code: "run_claimed", detail: "Claimed." };
    const { client } = clientOf(() => json(410, said, "application/problem+json"));
    expect(await client.run("r")).toEqual({ ok: false, problem: said });
  });

  test("an answer of a proxy in between is told by its status", async () => {
    const { client } = clientOf(() => new Response("<h1>Bad gateway</h1>", { status: 502 }));
    expect(await client.run("r")).toMatchObject({ ok: false, problem: { status: 502, code: "unexpected_answer" } });
  });

  test("a login page in the place of JSON is no answer", async () => {
    const { client } = clientOf(() => new Response("<html>", { status: 200 }));
    expect(await client.run("r")).toMatchObject({ ok: false, problem: { code: "unexpected_answer" } });
  });

  test("a server that is not there is unreachable", async () => {
    const { client } = clientOf(() => Promise.reject(new TypeError("refused")));
    expect(await client.run("r")).toMatchObject({ ok: false, problem: { status: 0, code: "unreachable" } });
  });

  test("damaged points are told, not drawn", async () => {
    const { client } = clientOf(() => new Response("ANRX"));
    expect(await client.series("r")).toMatchObject({ ok: false, problem: { code: "segment_damaged" } });
  });
});

describe("live", () => {
  const points = btoa(String.fromCharCode(...encodePlain([frameOf("loss", [1], [0.5])])));

  function stream(...lines: string[]): Response {
    return new Response(lines.map((line) => `${line}\n`).join(""));
  }

  test("points, run and gone are heard in order", async () => {
    const { client, asked } = clientOf(() =>
      stream(
        "event: points",
        "id: 12",
        `data: ${points}`,
        "",
        "event: run",
        'data: {"name":"x"}',
        "",
        "event: gone",
        'data: {"code":"run_expired"}',
        "",
      ),
    );
    const heard: unknown[] = [];
    const result = await client.live(
      "r",
      5,
      {
        open: () => heard.push("open"),
        points: (segments, position) => heard.push([segments[0]?.frames[0]?.names, position]),
        run: (run) => heard.push(run.name),
        gone: (problem) => heard.push(problem.code),
      },
      new AbortController().signal,
    );
    expect(heard).toEqual(["open", [["loss"], 12], "x", "run_expired"]);
    expect(result.ok).toBe(true);
    expect(asked[0]?.headers.get("accept")).toBe("text/event-stream");
    expect(asked[0]?.url).toContain("/live?after=5");
  });

  test("a connection that breaks is told", async () => {
    const broken = new ReadableStream({
      pull(controller) {
        controller.error(new TypeError("reset"));
      },
    });
    const { client } = clientOf(() => new Response(broken));
    const none = { points: () => undefined, run: () => undefined, gone: () => undefined };
    expect(await client.live("r", 0, none, new AbortController().signal)).toMatchObject({
      ok: false,
      problem: { code: "unreachable" },
    });
  });
});

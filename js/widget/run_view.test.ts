// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { encodePlain, frameOf } from "../api/encode.testing";
import type { KernelMessage, Model, PageMessage, RunTrait, Status, Traits } from "./contract";
import { RunView } from "./run_view";

const RUN: RunTrait = {
  run_id: "r1",
  name: "digits",
  anonymous: true,
  state: "running",
  created_at: "2026-11-24T03:00:00Z",
  expires_at: "2026-12-01T03:00:00Z",
  server: { url: "http://server.test/", instance: "mine", embedded: true },
};

/** The kernel's side: traits, messages, and what the page has said. */
class Kernel {
  readonly said: PageMessage[] = [];
  readonly #heard = new Map<string, Set<(...args: never[]) => void>>();
  traits: Traits = { run: RUN, status: { state: "running" }, config: {} };
  #no = 0;

  get model(): Model {
    return {
      get: (name) => this.traits[name],
      on: (event: string, heard: (...args: never[]) => void) => {
        this.#heard.set(event, (this.#heard.get(event) ?? new Set()).add(heard));
      },
      off: (event, heard) => this.#heard.get(event)?.delete(heard),
      send: (message) => this.said.push(message),
    };
  }

  set(part: { run?: Partial<RunTrait>; status?: Status }): void {
    this.traits = {
      ...this.traits,
      run: { ...this.traits.run, ...part.run },
      status: { ...this.traits.status, ...part.status },
    };
    for (const heard of this.#heard.get("change:run") ?? []) heard();
  }

  send(message: KernelMessage, ...buffers: Uint8Array<ArrayBuffer>[]): void {
    const views = buffers.map((bytes) => new DataView(bytes.buffer));
    for (const heard of this.#heard.get("msg:custom") ?? []) heard(...([message, views] as never[]));
  }

  points(steps: number[], more: { reset?: boolean; no?: number; complete?: boolean } = {}): void {
    const { reset = false, no = this.#no, complete = true } = more;
    this.#no = no + 1;
    this.send({ type: "points", no, reset, complete }, encodePlain([frameOf("loss", steps, steps)]));
  }

  get listeners(): number {
    return [...this.#heard.values()].reduce((sum, set) => sum + set.size, 0);
  }
}

/** What a server answers, by the end of the address; anything else is out of reach. */
let server: Record<string, () => Response>;
let asked: Request[];

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/problem+json" } });
}
const healthy = { healthz: () => json(200, { instance: "mine" }) };
const problem =
  (code: string, status = 410) =>
  () =>
    json(status, { code, status, title: code, detail: code, type: "about:blank" });
const serverRun = (more: object = {}) => ({
  ...RUN,
  server_time: new Date().toISOString(),
  account: "anonymous",
  ...more,
});

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-11-24T03:10:00Z") });
  server = {};
  asked = [];
  vi.stubGlobal("fetch", async (input: string, init?: RequestInit) => {
    const request = new Request(input, init);
    asked.push(request);
    const answer = Object.entries(server).find(([end]) => request.url.split("?")[0]?.endsWith(end))?.[1];
    if (!answer) throw new TypeError("refused");
    return answer();
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function opened(secrets: { view: string | null; claim: string | null } = { view: "anr_v_1", claim: "anr_c_1" }) {
  const kernel = new Kernel();
  const view = new RunView(RUN);
  view.attach(kernel.model);
  kernel.send({ type: "secrets", ...secrets });
  await vi.advanceTimersByTimeAsync(0);
  return { kernel, view };
}
const steps = (view: RunView) => [...(view.state.history.series.get("loss")?.columns().step ?? [])];

describe("from the kernel", () => {
  test("the page asks for everything when it joins", async () => {
    const { kernel, view } = await opened();
    expect(kernel.said).toEqual([{ type: "hello" }]);
    expect(view.state.source).toBe("kernel");
    view.sleep();
  });

  test("points are added, and a full message takes the place of what was there", async () => {
    const { kernel, view } = await opened();
    kernel.points([0, 1], { reset: true });
    kernel.points([2]);
    expect(steps(view)).toEqual([0, 1, 2]);
    kernel.points([0, 1, 2, 3], { reset: true });
    expect(steps(view)).toEqual([0, 1, 2, 3]);
    view.sleep();
  });

  test.each([
    ["a message that was missed", { no: 7 }],
    ["points that were left out", { complete: false }],
  ])("%s makes downloads incomplete, until a full message repairs it", async (_, more) => {
    const { kernel, view } = await opened();
    kernel.points([0], { reset: true });
    expect(view.complete).toBe(true);
    kernel.points([5], more);
    expect([view.complete, steps(view)]).toEqual([false, [0, 5]]);
    kernel.points([0, 5], { reset: true });
    expect(view.complete).toBe(true);
    view.sleep();
  });

  test("damaged points are not drawn and cost nothing else", async () => {
    const { kernel, view } = await opened();
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    kernel.points([0], { reset: true });
    kernel.send({ type: "points", no: 1, reset: false }, new Uint8Array(50));
    expect(warn).toHaveBeenCalledOnce();
    expect([steps(view), view.complete]).toEqual([[0], false]);
    view.sleep();
  });

  test("the kernel's end leaves the view as it was, and nothing listening", async () => {
    const { kernel, view } = await opened();
    kernel.points([0, 1], { reset: true });
    kernel.set({ status: { state: "finished" }, run: { state: "finished" } });
    view.detach();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([view.state.source, steps(view), kernel.listeners]).toEqual(["over", [0, 1], 0]);
    view.sleep();
  });
});

describe("links", () => {
  test("hold their secret in the fragment only", async () => {
    const { view } = await opened();
    expect(view.claimLink()).toBe("http://server.test/claim#c=anr_c_1");
    expect(view.viewLink()).toBe("http://server.test/r/r1#v=anr_v_1");
    view.sleep();
  });

  test("are none before their secret has come, or after the claim has ended it", async () => {
    const { kernel, view } = await opened({ view: null, claim: null });
    expect([view.claimLink(), view.viewLink()]).toEqual([null, "http://server.test/r/r1"]);
    kernel.send({ type: "secrets", view: "anr_v_1", claim: "anr_c_1" });
    expect(view.state.has).toEqual({ view: true, claim: true });
    kernel.send({ type: "secrets", view: "anr_v_1", claim: null });
    expect([view.claimLink(), view.state.has.claim]).toEqual([null, false]);
    view.sleep();
  });

  test("no secret stands in the view's state", async () => {
    const { view } = await opened();
    expect(JSON.stringify(view.state, (key, value) => (key === "history" ? null : value))).not.toContain("anr_");
    view.sleep();
  });
});

describe("with the kernel silent", () => {
  const sampled = {
    position: 9,
    metrics: {
      loss: {
        total: 3,
        step: [0, 1, 2],
        time: [0, 1, 2],
        count: [1, 1, 1],
        min: [0, 1, 2],
        max: [0, 1, 2],
        first: [0, 1, 2],
        last: [0, 1, 2],
      },
    },
  };

  test("the view follows the server, with the view token", async () => {
    server = {
      ...healthy,
      "runs/r1": () => json(200, serverRun()),
      sampled: () => json(200, sampled),
      live: () => new Response(""),
    };
    const { kernel, view } = await opened();
    kernel.points([0], { reset: true });
    await vi.advanceTimersByTimeAsync(12_000);
    expect(steps(view)).toEqual([0, 1, 2]);
    const followed = asked.find(({ url }) => url.includes("/live"));
    expect(followed?.headers.get("authorization")).toBe("Bearer anr_v_1");
    kernel.points([0, 1, 2, 3], { reset: true });
    expect([view.state.source, steps(view)]).toEqual(["kernel", [0, 1, 2, 3]]);
    view.sleep();
  });

  test("and no server in reach it says so, and keeps what it has", async () => {
    const { kernel, view } = await opened();
    kernel.points([0, 1], { reset: true });
    await vi.advanceTimersByTimeAsync(30_000);
    expect([view.state.source, steps(view)]).toEqual(["nobody", [0, 1]]);
    view.sleep();
  });

  test("a server that has fewer points than the page does not take any away", async () => {
    server = {
      ...healthy,
      "runs/r1": () => json(200, serverRun()),
      sampled: () => json(200, sampled),
      live: () => new Response(""),
    };
    const { kernel, view } = await opened();
    kernel.points([0, 1, 2, 3, 4], { reset: true });
    await vi.advanceTimersByTimeAsync(12_000);
    expect(steps(view)).toEqual([0, 1, 2, 3, 4]);
    view.sleep();
  });

  test("a server that refuses is not asked again at once", async () => {
    server = { ...healthy, "runs/r1": problem("token_invalid", 401) };
    const { view } = await opened();
    await vi.advanceTimersByTimeAsync(40_000);
    expect(asked.filter(({ url }) => url.endsWith("runs/r1")).length).toBeLessThanOrEqual(3);
    expect(view.state.source).toBe("nobody");
    view.sleep();
  });

  test("a page that is hidden asks nobody", async () => {
    const { view } = await opened();
    vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(before);
    view.sleep();
  });
});

describe("a claim is noticed", () => {
  test("by the kernel's word, and the server adds whose it is now", async () => {
    server = { ...healthy, "runs/r1": () => json(200, serverRun({ anonymous: false, account: "ada" })) };
    const { kernel, view } = await opened();
    kernel.set({ run: { anonymous: false, expires_at: null } });
    expect([view.state.run.anonymous, view.state.wasAnonymous]).toEqual([false, true]);
    await vi.advanceTimersByTimeAsync(0);
    expect(view.state.gone).toEqual({ why: "claimed", account: "ada" });
    view.sleep();
  });

  test("without the kernel, from the view token's end; whoever is signed in learns the account", async () => {
    let claimed = false;
    const answers = () => (claimed ? problem("run_claimed")() : json(200, serverRun()));
    server = { ...healthy, "runs/r1": answers };
    const { view } = await opened();
    view.expectClaim();
    await vi.advanceTimersByTimeAsync(6_000);
    expect(view.state.gone).toBeNull();
    claimed = true;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(view.state.gone).toEqual({ why: "claimed", account: null });
    const last = asked.at(-1);
    expect([last?.url.endsWith("runs/r1"), last?.headers.has("authorization")]).toEqual([true, false]);
    view.sleep();
  });

  test.each([
    ["run_expired", "expired"],
    ["run_deleted", "deleted"],
    ["run_moved", "moved"],
  ])("and so is %s", async (code, why) => {
    server = { ...healthy, "runs/r1": problem(code) };
    const { view } = await opened();
    view.expectClaim();
    await vi.advanceTimersByTimeAsync(6_000);
    expect(view.state.gone?.why).toBe(why);
    view.sleep();
  });
});

describe("deleting", () => {
  test("is done with the claim token, and the view says that the run is gone", async () => {
    server = { ...healthy, "runs/r1": () => new Response(null, { status: 204 }) };
    const { view } = await opened();
    expect(await view.delete()).toBeNull();
    const request = asked.at(-1);
    expect([request?.method, request?.headers.get("authorization")]).toEqual(["DELETE", "Bearer anr_c_1"]);
    expect(view.state.gone).toEqual({ why: "deleted" });
    view.sleep();
  });

  test("that is refused or reaches nobody changes nothing, and says why", async () => {
    const { view } = await opened();
    expect(await view.delete()).toMatchObject({ code: "unreachable" });
    server = { ...healthy, "runs/r1": problem("forbidden", 403) };
    expect(await view.delete()).toMatchObject({ code: "forbidden" });
    expect(view.state.gone).toBeNull();
    view.sleep();
  });
});

describe("downloads", () => {
  test("come from memory when every row is there, without asking anyone", async () => {
    const { kernel, view } = await opened();
    kernel.points([0, 1], { reset: true });
    const before = asked.length;
    const file = (await view.download("csv")) as Blob;
    expect((await file.text()).split("\r\n")).toHaveLength(4);
    expect(asked).toHaveLength(before);
    view.sleep();
  });

  test("come from the server when rows are missing here", async () => {
    server = { ...healthy, export: () => new Response("from the server") };
    const { kernel, view } = await opened();
    kernel.points([0], { reset: true, complete: false });
    expect(await ((await view.download("json")) as Blob).text()).toBe("from the server");
    view.sleep();
  });

  test("come from memory when rows are missing and no server is there", async () => {
    const { kernel, view } = await opened();
    kernel.points([0], { reset: true, complete: false });
    const said = JSON.parse(await ((await view.download("json")) as Blob).text());
    expect(said).toMatchObject({ name: "digits", complete: false, history: { loss: { step: [0] } } });
    view.sleep();
  });
});

import { expect, test } from "vitest";
import { enterRun } from "./enter_run";
import { Refusal } from "./http";

function sessionThat(refuses: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const exchange = async (token: string) => {
    asked.push(token);
    const code = refuses[token];
    if (code) throw new Refusal({ status: 410, code, detail: "" });
    return { run_id: "1" };
  };
  return { asked, session: { exchange } };
}

test("each secret of a run's link is exchanged, view first; a hand-over is not the run's business", async () => {
  const { asked, session } = sessionThat({});
  expect(await enterRun(session, { claim: "c", view: "v", share: "s", device: "d" })).toBeNull();
  expect(asked).toEqual(["v", "s", "c"]);
});

test("the first refusal is told, and the other secrets are tried all the same", async () => {
  const { asked, session } = sessionThat({ v: "run_expired", c: "token_invalid" });
  expect(await enterRun(session, { view: "v", claim: "c" })).toMatchObject({ code: "run_expired" });
  expect(asked).toEqual(["v", "c"]);
});

test("without a secret nothing is asked", async () => {
  const { asked, session } = sessionThat({});
  expect(await enterRun(session, {})).toBeNull();
  expect(asked).toEqual([]);
});

/**
 * Where a login by device code is approved: the code is typed, never part of a link; who asks is shown; and one explicit
 * yes, after the code was compared (R23). Whoever was sent here by somebody else is told what a yes would give away.
 */
import { useState } from "preact/hooks";
import { asRefusal } from "../http";
import { href } from "../page";
import { AccountForms } from "../parts/account_forms";
import { useConfirmed } from "../parts/confirmed";
import { useShell } from "../parts/context";
import { Field } from "../parts/field";
import { Form } from "../parts/form";
import { Ago, useNow } from "../parts/time";
import type { DeviceAsks } from "../session";
import { Notice } from "./notice";

type Stage =
  | { readonly at: "typing" }
  | { readonly at: "asked"; readonly asks: DeviceAsks }
  | { readonly at: "approved" | "denied"; readonly asks: DeviceAsks };

export function DevicePage() {
  const { account, setAccount } = useShell();
  const [stage, setStage] = useState<Stage>({ at: "typing" });
  if (account?.kind !== "user") {
    return (
      <article class="sign">
        <h1>Approve a login</h1>
        <p class="dim">
          A program waits to be let in to an account. Say first which account; you are then asked for the code.
        </p>
        <AccountForms start="sign-in" next="/device" onDone={setAccount} />
      </article>
    );
  }
  switch (stage.at) {
    case "typing":
      return <Typing name={account.name} onFound={(asks) => setStage({ at: "asked", asks })} />;
    case "asked":
      return (
        <Asked
          name={account.name}
          asks={stage.asks}
          onDone={(approved) => setStage({ at: approved ? "approved" : "denied", asks: stage.asks })}
        />
      );
    case "approved":
      return (
        <Notice heading="The login is approved" actions={[{ label: "Your runs", path: "/" }]}>
          <p>
            {stage.asks.host || "The program"} is let in to <b>{account.name}</b> within a few seconds, and you can
            close this page. Its key stands in the <Settings /> and can be revoked there.
          </p>
        </Notice>
      );
    case "denied":
      return (
        <Notice heading="The login was turned away" actions={[{ label: "Your runs", path: "/" }]}>
          <p>Whoever asked got nothing. Did somebody send you that code? Then they tried to get into your account.</p>
        </Notice>
      );
  }
}

function Settings() {
  const { page } = useShell();
  return <a href={href(page, "/settings")}>settings</a>;
}

function Typing({ name, onFound }: { readonly name: string; readonly onFound: (asks: DeviceAsks) => void }) {
  const { session } = useShell();
  return (
    <article class="sign device">
      <h1>Approve a login</h1>
      <p class="dim">
        Enter the code that <code>anonrun login</code> shows, to let that program in to <b>{name}</b>.
      </p>
      <Form
        label="Enter the code"
        submit="Go on"
        busy="Looking…"
        place={(refusal) => (refusal.code === "user_code_unknown" ? "code" : null)}
        onSubmit={async (values) => onFound(await session.checkDevice(values.code ?? ""))}
      >
        {(errorAt) => (
          <Field
            label="Code"
            name="code"
            autoComplete="off"
            maxLength={16}
            hint="Eight letters, such as BCDF-GHJK. Case and the dash do not matter."
            error={errorAt("code")}
          />
        )}
      </Form>
    </article>
  );
}

interface AskedProps {
  readonly name: string;
  readonly asks: DeviceAsks;
  readonly onDone: (approved: boolean) => void;
}

function Asked({ name, asks, onDone }: AskedProps) {
  const { session } = useShell();
  const nowMs = useNow(10_000);
  const [away, setAway] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const { confirmed, dialog } = useConfirmed();
  const decide = async (approve: boolean) => {
    setAway(true);
    setError(null);
    try {
      const send = () => session.decideDevice(asks.user_code, approve);
      if (await (approve ? confirmed(send) : send().then(() => true))) onDone(approve);
    } catch (reason) {
      setError(asRefusal(reason).message);
    }
    setAway(false);
  };
  return (
    <article class="sign device">
      <h1>Does your program show this code?</h1>
      <p class="user-code">{asks.user_code}</p>
      <dl class="facts">
        <dt>Program</dt>
        <dd>{asks.client || "does not say"}</dd>
        <dt>Machine</dt>
        <dd>{asks.host || "does not say"}</dd>
        <dt>Address</dt>
        <dd>{asks.address || "unknown"}</dd>
        <dt>Asked</dt>
        <dd>
          <Ago at={asks.created_at} nowMs={nowMs} />
        </dd>
        <dt>Account</dt>
        <dd>
          <b>{name}</b>
        </dd>
      </dl>
      <p class="stale">
        It gets a key that may do everything this account may with runs. Approve only what you have just started
        yourself, never a code that somebody sent you. Only the address was seen by this server; the rest is what the
        program says.
      </p>
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      <p class="actions">
        <button type="button" class="button strong" disabled={away} onClick={() => decide(true)}>
          The codes match, let it in
        </button>
        <button type="button" class="button" disabled={away} onClick={() => decide(false)}>
          Turn it away
        </button>
      </p>
      {dialog}
    </article>
  );
}

/** The API keys of an account: made, shown once, listed, revoked. */
import { useState } from "preact/hooks";
import type { ApiKey, KeyScope } from "../session";
import { Choice } from "./choice";
import { useConfirmed } from "./confirmed";
import { useShell } from "./context";
import { CopyText } from "./copy";
import { Confirm } from "./dialog";
import { Field } from "./field";
import { Form } from "./form";
import { type Column, Listing, useListing } from "./listing";
import { Ago, Exact } from "./time";

export function AccountKeys() {
  const { session } = useShell();
  const listed = useListing(session.keys);
  const [fresh, setFresh] = useState<{ readonly label: string; readonly key: string } | null>(null);
  const [doomed, setDoomed] = useState<ApiKey | null>(null);
  const { confirmed, dialog } = useConfirmed();

  const make = async (values: Readonly<Record<string, string>>) => {
    const label = (values.label ?? "").trim();
    await confirmed(async () => {
      const made = await session.makeKey({
        label,
        scope: (values.scope ?? "full") as KeyScope,
        expires_in_days: values.days ? Number(values.days) : null,
      });
      setFresh({ label, key: made.key });
      listed.load();
    });
  };
  return (
    <section class="card" aria-labelledby="keys">
      <h2 id="keys">API keys</h2>
      <p class="dim">
        A key lets a script or notebook log to this account: <code>anonrun login</code>, or <code>ANONRUN_API_KEY</code>{" "}
        in the environment. Give each machine its own, so that one can be revoked alone.
      </p>
      <Listing
        label="Keys of this account"
        listed={listed}
        loading="Reading your keys…"
        empty="No keys yet."
        keyOf={(key) => key.key_id}
        columns={COLUMNS}
        acts={[{ label: "Revoke", named: ({ label }) => `Revoke ${label ?? "the key"}`, act: setDoomed }]}
      />
      {fresh && (
        <div class="fresh">
          <CopyText label={`New key “${fresh.label}”, shown this once`} text={fresh.key} />
          <p class="hint">Whoever has it can do what it may do. Keep it out of notebooks.</p>
        </div>
      )}
      <Form label="Make a key" submit="Make a key" busy="Making…" place={() => "label"} onSubmit={make}>
        {(errorAt) => (
          <>
            <Field
              label="Label"
              name="label"
              autoComplete="off"
              hint="Where it is used, such as laptop or cluster."
              maxLength={100}
              error={errorAt("label")}
            />
            <Choice label="It may" name="scope" options={SCOPES} />
            <Choice label="It counts" name="days" options={LIVES} />
          </>
        )}
      </Form>
      {dialog}
      {doomed && (
        <Confirm
          title={`Revoke the key “${doomed.label ?? "without a label"}”?`}
          act="Revoke"
          busy="Revoking…"
          onAct={async () => {
            await session.revokeKey(doomed.key_id);
            listed.load();
          }}
          onClose={() => setDoomed(null)}
        >
          <p>What uses it can log no more from its next request on. Runs already here stay.</p>
        </Confirm>
      )}
    </section>
  );
}

const SCOPES: readonly { readonly value: KeyScope; readonly label: string }[] = [
  { value: "full", label: "do everything: log, read, change and delete runs" },
  { value: "ingest", label: "only log: make runs and add to them, read none" },
  { value: "read", label: "only read runs" },
];

const LIVES = [
  { value: "", label: "until it is revoked" },
  { value: "7", label: "for a week" },
  { value: "30", label: "for 30 days" },
  { value: "90", label: "for 90 days" },
  { value: "365", label: "for a year" },
];

const MAY: Readonly<Record<KeyScope, string>> = { full: "everything", ingest: "log", read: "read" };

const COLUMNS: readonly Column<ApiKey>[] = [
  { head: "label", of: ({ label }) => label ?? "–" },
  { head: "may", of: ({ scope }) => MAY[scope] },
  { head: "made", of: ({ created_at }, nowMs) => <Ago at={created_at} nowMs={nowMs} /> },
  { head: "counts until", of: ({ expires_at }) => (expires_at ? <Exact at={expires_at} /> : "revoked") },
  {
    head: "last used",
    of: ({ last_used_at }, nowMs) => (last_used_at ? <Ago at={last_used_at} nowMs={nowMs} /> : "never"),
  },
];

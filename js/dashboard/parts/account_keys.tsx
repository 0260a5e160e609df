/** The API keys of an account: made, shown once, listed, revoked. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { asRefusal, type Refusal } from "../http";
import type { ApiKey, KeyScope } from "../session";
import { Choice } from "./choice";
import { useConfirmed } from "./confirmed";
import { useShell } from "./context";
import { CopyText } from "./copy";
import { Confirm } from "./dialog";
import { Field } from "./field";
import { Form } from "./form";
import { Failed, Loading } from "./loading";
import { Scroll } from "./scroll";
import { Ago, Exact, useNow } from "./time";

export function AccountKeys() {
  const { session } = useShell();
  const [keys, setKeys] = useState<readonly ApiKey[] | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [fresh, setFresh] = useState<{ readonly label: string; readonly key: string } | null>(null);
  const [doomed, setDoomed] = useState<ApiKey | null>(null);
  const { confirmed, dialog } = useConfirmed();
  const load = useCallback(() => {
    setRefusal(null);
    session.keys().then(setKeys, (reason) => setRefusal(asRefusal(reason)));
  }, [session]);
  useEffect(load, [load]);

  const make = async (values: Readonly<Record<string, string>>) => {
    const label = (values.label ?? "").trim();
    await confirmed(async () => {
      const made = await session.makeKey({
        label,
        scope: (values.scope ?? "full") as KeyScope,
        expires_in_days: values.days ? Number(values.days) : null,
      });
      setFresh({ label, key: made.key });
      load();
    });
  };
  return (
    <section class="card" aria-labelledby="keys">
      <h2 id="keys">API keys</h2>
      <p class="dim">
        A key lets a script or notebook log to this account: <code>anonrun login</code>, or <code>ANONRUN_API_KEY</code>{" "}
        in the environment. Give each machine its own, so that one can be revoked alone.
      </p>
      {refusal && <Failed refusal={refusal} onRetry={load} />}
      {!keys && !refusal && <Loading what="Reading your keys…" />}
      {keys?.length === 0 && <p class="empty">No keys yet.</p>}
      {keys && keys.length > 0 && <KeyTable keys={keys} onRevoke={setDoomed} />}
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
            load();
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

interface KeyTableProps {
  readonly keys: readonly ApiKey[];
  readonly onRevoke: (key: ApiKey) => void;
}

function KeyTable({ keys, onRevoke }: KeyTableProps) {
  const nowMs = useNow(60_000);
  return (
    <Scroll label="Keys of this account">
      <table>
        <thead>
          <tr>
            <th scope="col">label</th>
            <th scope="col">may</th>
            <th scope="col">made</th>
            <th scope="col">counts until</th>
            <th scope="col">last used</th>
            <th scope="col">
              <span class="unseen">actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.key_id}>
              <th scope="row">{key.label ?? "–"}</th>
              <td>{MAY[key.scope]}</td>
              <td>
                <Ago at={key.created_at} nowMs={nowMs} />
              </td>
              <td>{key.expires_at ? <Exact at={key.expires_at} /> : "revoked"}</td>
              <td>{key.last_used_at ? <Ago at={key.last_used_at} nowMs={nowMs} /> : "never"}</td>
              <td class="number">
                <button
                  type="button"
                  class="quiet"
                  onClick={() => onRevoke(key)}
                  aria-label={`Revoke ${key.label ?? "the key"}`}
                >
                  Revoke
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

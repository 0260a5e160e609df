/** Recovery codes: how many are left, and new ones, which are shown once. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { counted } from "../format";
import { asRefusal, type Refusal } from "../http";
import { useConfirmed } from "./confirmed";
import { useShell } from "./context";
import { Failed, Loading } from "./loading";

const FEW = 3;

export function AccountRecovery() {
  const { session, say } = useShell();
  const [left, setLeft] = useState<number | null>(null);
  const [codes, setCodes] = useState<readonly string[]>([]);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const { confirmed, dialog } = useConfirmed();
  const load = useCallback(() => {
    setRefusal(null);
    session.recoveryCodesLeft().then(
      (info) => setLeft(info.left),
      (reason) => setRefusal(asRefusal(reason)),
    );
  }, [session]);
  useEffect(load, [load]);
  const make = async () => {
    try {
      await confirmed(async () => {
        const made = await session.makeRecoveryCodes();
        setCodes(made.codes);
        setLeft(made.codes.length);
      });
    } catch (reason) {
      say(asRefusal(reason).message);
    }
  };
  const copy = () =>
    navigator.clipboard.writeText(codes.join("\n")).then(
      () => say("Copied."),
      () => say("This browser copies nothing here: select the codes, and press Ctrl+C or ⌘C."),
    );
  return (
    <section class="card" aria-labelledby="recovery">
      <h2 id="recovery">Recovery codes</h2>
      <p class="dim">
        Each sets a new password, once. No e-mail is asked for, so they are the only way back in when the password is
        lost.
      </p>
      {refusal && <Failed refusal={refusal} onRetry={load} />}
      {left === null && !refusal && <Loading what="Counting your codes…" />}
      {left === 0 && <p class="stale">You have none. If you forget your password, nobody can let you in.</p>}
      {left !== null && left > 0 && codes.length === 0 && (
        <p class={left < FEW ? "stale" : undefined}>{counted(left, "code is", "codes are")} left.</p>
      )}
      {codes.length > 0 && (
        <div class="fresh">
          <p>
            <b>Your new codes, shown this once.</b> Keep them where you keep passwords; those before no longer count.
          </p>
          <ul class="codes">
            {codes.map((code) => (
              <li key={code}>{code}</li>
            ))}
          </ul>
          <button type="button" class="button" onClick={copy}>
            Copy all
          </button>
        </div>
      )}
      <button type="button" class="button" onClick={make}>
        {left ? "Make new codes" : "Make recovery codes"}
      </button>
      {dialog}
    </section>
  );
}

/**
 * What asks once more who somebody is: done at once where that was shown lately, and else after a dialog has asked for the
 * password, or has sent the browser to a provider and back.
 */
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useId, useRef, useState } from "preact/hooks";
import { asRefusal, type Refusal } from "../http";
import type { WaysIn } from "../session";
import { useShell } from "./context";
import { Field } from "./field";
import { Form } from "./form";
import { Failed, Loading } from "./loading";
import { ProviderButtons } from "./providers";

interface Wait {
  readonly settle: (given: boolean) => void;
}

/** Do something; whether it was done, or whoever was asked for the password thought better of it. */
export type Confirmed = (act: () => Promise<unknown>) => Promise<boolean>;

/** `dialog` must be drawn somewhere on the page. */
export function useConfirmed(): { readonly confirmed: Confirmed; readonly dialog: ComponentChildren } {
  const [wait, setWait] = useState<Wait | null>(null);
  const confirmed = useCallback<Confirmed>(async (act) => {
    try {
      await act();
      return true;
    } catch (reason) {
      if (asRefusal(reason).code !== "confirm_needed") throw reason;
    }
    const given = await new Promise<boolean>((settle) => setWait({ settle }));
    setWait(null);
    if (given) await act();
    return given;
  }, []);
  return { confirmed, dialog: wait && <ConfirmDialog onSettled={wait.settle} /> };
}

function ConfirmDialog({ onSettled }: { readonly onSettled: (given: boolean) => void }) {
  const { page, session } = useShell();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const given = useRef(false);
  const [ways, setWays] = useState<WaysIn | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  useEffect(() => {
    dialog.current?.showModal();
    session.waysIn().then(setWays, (reason) => setRefusal(asRefusal(reason)));
  }, [session]);
  const linked = page.providers.filter(({ name }) => ways?.identities.some(({ provider }) => provider === name));
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={() => onSettled(given.current)}>
      <h2 id={id}>{ways?.password === false ? "Who you are, once more" : "Your password, once more"}</h2>
      <p class="dim">So that nobody does this in a browser that you left open. It then counts for ten minutes.</p>
      {refusal && <Failed refusal={refusal} />}
      {!ways && !refusal && <Loading what="Looking how you sign in…" />}
      {ways?.password && (
        <Form
          label="Confirm by password"
          submit="Go on"
          busy="Checking…"
          place={(wrong) => (wrong.code === "sign_in_failed" ? "password" : null)}
          onSubmit={async (values) => {
            await session.confirm(values.password ?? "");
            given.current = true;
            dialog.current?.close();
          }}
        >
          {(errorAt) => (
            <Field
              label="Password"
              name="password"
              autoComplete="current-password"
              secret
              error={errorAt("password")}
            />
          )}
        </Form>
      )}
      {linked.length > 0 && (
        <>
          {ways?.password && <p class="or">or</p>}
          <ProviderButtons providers={linked} purpose="confirm" next={location.pathname.slice(page.prefix.length)} />
          <p class="hint">You come back to this page, and then do again what you were about to do.</p>
        </>
      )}
      <p class="actions">
        <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
      </p>
    </dialog>
  );
}

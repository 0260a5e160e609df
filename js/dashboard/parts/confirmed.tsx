/** What asks for the password once more: done at once where it was given lately, and else after a dialog has asked. */
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useId, useRef, useState } from "preact/hooks";
import { asRefusal } from "../http";
import { useShell } from "./context";
import { Field } from "./field";
import { Form } from "./form";

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
  return { confirmed, dialog: wait && <PasswordDialog onSettled={wait.settle} /> };
}

function PasswordDialog({ onSettled }: { readonly onSettled: (given: boolean) => void }) {
  const { session } = useShell();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const given = useRef(false);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={() => onSettled(given.current)}>
      <h2 id={id}>Your password, once more</h2>
      <p class="dim">So that nobody does this in a browser that you left open. It then counts for ten minutes.</p>
      <Form
        label="Confirm by password"
        submit="Go on"
        busy="Checking…"
        place={(refusal) => (refusal.code === "sign_in_failed" ? "password" : null)}
        onSubmit={async (values) => {
          await session.confirm(values.password ?? "");
          given.current = true;
          dialog.current?.close();
        }}
      >
        {(errorAt) => (
          <Field label="Password" name="password" autoComplete="current-password" secret error={errorAt("password")} />
        )}
      </Form>
      <p class="actions">
        <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
      </p>
    </dialog>
  );
}

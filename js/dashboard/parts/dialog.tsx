/** What is asked before the page goes on. The browser's own dialog keeps the focus inside, and Escape closes it. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { asRefusal } from "../http";

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: (close: () => void) => ComponentChildren;
}

/** A form, and a way out of it. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => dialog.current?.close();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children(close)}
      <p class="actions">
        <button type="button" class="quiet" onClick={close}>
          Cancel
        </button>
      </p>
    </dialog>
  );
}

/** A question that must be answered before something is lost. */
export interface ConfirmProps {
  readonly title: string;
  readonly act: string;
  readonly busy: string;
  readonly onAct: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Confirm({ title, act, busy, onAct, onClose, children }: ConfirmProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const [away, setAway] = useState(false);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const go = async () => {
    setAway(true);
    setError(null);
    try {
      await onAct();
      dialog.current?.close();
    } catch (reason) {
      setError(asRefusal(reason).message);
      setAway(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      <p class="actions">
        <button type="button" class="button" autofocus onClick={() => dialog.current?.close()}>
          Cancel
        </button>
        <button type="button" class="button danger" disabled={away} onClick={go}>
          {away ? busy : act}
        </button>
      </p>
    </dialog>
  );
}

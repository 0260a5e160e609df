/** A question that must be answered before something is lost. The browser's own dialog keeps focus inside and Escape closes. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { asRefusal } from "../http";

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

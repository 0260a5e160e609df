/** A form that is sent as JSON: busy while it is away, errors at the field they belong to, or above the button. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { asRefusal, type Refusal } from "../http";

/** What went wrong, and at which field; `field` is null for the form as a whole. `no` tells two equal errors apart. */
export interface FormError {
  readonly field: string | null;
  readonly text: string;
}

export interface FormProps {
  readonly label: string;
  readonly submit: string;
  readonly busy: string;
  /** Whether something is lost by sending it. */
  readonly danger?: boolean;
  /** Which field a refusal belongs to. */
  readonly place: (refusal: Refusal) => string | null;
  /** Checked here before anything is sent. */
  readonly check?: (values: Readonly<Record<string, string>>) => FormError | null;
  readonly onSubmit: (values: Readonly<Record<string, string>>) => Promise<void>;
  readonly children: (errorAt: (field: string) => string | undefined) => ComponentChildren;
}

export function Form({ label, submit, busy, danger, place, check, onSubmit, children }: FormProps) {
  const [away, setAway] = useState(false);
  const [error, setError] = useState<FormError | null>(null);

  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const values = Object.fromEntries([...new FormData(form)].map(([key, value]) => [key, String(value)]));
    const early = emptyField(form) ?? check?.(values) ?? null;
    setError(null);
    // A second try with the same mistake must move the focus again, so the old error goes first.
    await Promise.resolve();
    if (early) return setError(early);
    setAway(true);
    try {
      await onSubmit(values);
      form.reset();
    } catch (reason) {
      const refusal = asRefusal(reason);
      setError({ field: place(refusal), text: refusal.message });
    } finally {
      setAway(false);
    }
  };

  return (
    <form aria-label={label} onSubmit={send} noValidate method="post">
      {children((field) => (error?.field === field ? error.text : undefined))}
      {error && error.field === null && (
        <p class="error" role="alert">
          {error.text}
        </p>
      )}
      <button type="submit" class={danger ? "button danger" : "button strong"} disabled={away} aria-busy={away}>
        {away ? busy : submit}
      </button>
    </form>
  );
}

function emptyField(form: HTMLFormElement): FormError | null {
  for (const element of form.elements) {
    if (element instanceof HTMLInputElement && element.required && element.value === "") {
      const label = element.labels?.[0]?.textContent?.toLowerCase() ?? element.name;
      return { field: element.name, text: `Enter the ${label}.` };
    }
  }
  return null;
}

/** A labelled input whose error stands beside it and is read out with it. */
import { useEffect, useId, useRef, useState } from "preact/hooks";

export interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly autoComplete: string;
  readonly secret?: boolean;
  readonly hint?: string;
  readonly error?: string | undefined;
  readonly maxLength?: number;
  readonly initial?: string;
  readonly optional?: boolean;
}

export function Field({ label, name, autoComplete, secret, hint, error, maxLength, initial, optional }: FieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (error) input.current?.focus();
  }, [error]);
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="input">
        <input
          ref={input}
          id={id}
          name={name}
          // Preact has one type of attributes for each type of input, and this one changes.
          type={(secret && !shown ? "password" : "text") as "text"}
          autocomplete={autoComplete}
          autocapitalize="none"
          spellcheck={false}
          required={!optional}
          maxLength={maxLength}
          defaultValue={initial}
          aria-invalid={error ? "true" : undefined}
          aria-describedby={described || undefined}
        />
        {secret && (
          <button type="button" class="quiet" aria-pressed={shown} onClick={() => setShown(!shown)}>
            {shown ? "Hide" : "Show"}
          </button>
        )}
      </div>
      {hint && (
        <p id={`${id}-hint`} class="hint">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} class="error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

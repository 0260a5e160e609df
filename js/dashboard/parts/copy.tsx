/** A text that is meant to be taken along: shown in full, selected on focus, copied by a button. */
import { useId, useRef, useState } from "preact/hooks";

export function CopyText({ label, text }: { readonly label: string; readonly text: string }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [done, setDone] = useState<"" | "Copied" | "Press Ctrl+C or ⌘C">("");
  const copy = async () => {
    input.current?.select();
    try {
      await navigator.clipboard.writeText(text);
      setDone("Copied");
    } catch {
      // No clipboard over plain HTTP: the text is selected, the keyboard does the rest.
      setDone("Press Ctrl+C or ⌘C");
    }
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="input">
        <input id={id} ref={input} readOnly value={text} onFocus={(event) => event.currentTarget.select()} />
        <button type="button" class="button" onClick={copy}>
          Copy
        </button>
      </div>
      <p class="hint" role="status">
        {done}
      </p>
    </div>
  );
}

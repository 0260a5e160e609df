/** A text as it was logged: its lines kept, whatever is in it. */

/** Of a longer one the beginning is shown; its file has all. */
const MOST_CHARS = 100_000;

export function TextView({ name, text }: { readonly name: string; readonly text: string }) {
  if (!text.trim()) return <p class="anr-remark">This text is empty.</p>;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="anr-text" tabIndex={0} aria-label={`Text of ${name}`}>
        {text.slice(0, MOST_CHARS)}
      </section>
      {text.length > MOST_CHARS && <p class="anr-aside">the beginning of {text.length} characters; save it for all</p>}
    </>
  );
}

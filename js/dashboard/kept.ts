/** The quiet "kept" note that follows a claim over to the next page. Names only: nothing secret is stored. */

const KEY = "anonrun.kept";
const WORD = "anonrun.word";

export interface Kept {
  readonly runIds: readonly string[];
  readonly account: string;
}

type Notes = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Leave the note for the page that follows. */
export function leaveKept(notes: Notes, kept: Kept): void {
  notes.setItem(KEY, JSON.stringify(kept));
}

/** Take the note if it speaks of `runId` (or of any run, for null); it is said once. */
export function takeKept(notes: Notes, runId: string | null): Kept | null {
  const text = notes.getItem(KEY);
  if (text === null) return null;
  notes.removeItem(KEY);
  try {
    const kept = JSON.parse(text) as Kept;
    return runId === null || kept.runIds.includes(runId) ? kept : null;
  } catch {
    return null;
  }
}

/** Leave a sentence for the page that follows to say. */
export function leaveWord(notes: Notes, text: string): void {
  notes.setItem(WORD, text);
}

/** Take the sentence that the page before has left; it is said once. */
export function takeWord(notes: Notes): string | null {
  const text = notes.getItem(WORD);
  if (text !== null) notes.removeItem(WORD);
  return text;
}

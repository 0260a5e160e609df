/**
 * Secrets arrive in the fragment of a link (`#v=…`, `#s=…`, `#c=…`, `#d=…`, `#i=…`). They are taken out of the address before
 * anything else happens, live in this page's memory only, and are exchanged for a cookie by POST (R5).
 */

export type SecretKind = "view" | "share" | "claim" | "device" | "invitation";
export type Secrets = Partial<Record<SecretKind, string>>;

const LETTERS: ReadonlyMap<string, SecretKind> = new Map([
  ["v", "view"],
  ["s", "share"],
  ["c", "claim"],
  ["d", "device"],
  ["i", "invitation"],
]);

/** Return the secrets that a fragment names; what is not one of ours is ignored. */
export function parseFragment(hash: string): Secrets {
  const secrets: Secrets = {};
  for (const [letter, value] of new URLSearchParams(hash.replace(/^#/, ""))) {
    const kind = LETTERS.get(letter);
    if (kind && value) secrets[kind] = value.trim();
  }
  return secrets;
}

/** Whether a fragment carries, or may carry a damaged piece of, a secret. An anchor such as `#main` does not. */
export function mayHoldSecret(hash: string): boolean {
  return hash.includes("=") || hash.includes("anr_");
}

/** Take the secrets out of the address, also out of this entry of the history. */
export function takeFragment(place: Location, history: History): Secrets {
  const hash = place.hash;
  if (!mayHoldSecret(hash)) return {};
  history.replaceState(history.state, "", place.pathname + place.search);
  return parseFragment(hash);
}

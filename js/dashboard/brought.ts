/** What a provider sends a browser back with: it stands in the query, and is taken out of the address at once. */
import type { Brought } from "./session";

const NAMES = ["code", "error", "iss"] as const;

/** Return what a query brings; null where it has no state, so that it is no provider's. */
export function parseBrought(search: string): Brought | null {
  const query = new URLSearchParams(search);
  const state = query.get("state");
  if (state === null) return null;
  const given = NAMES.flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, value]];
  });
  return { state, ...Object.fromEntries(given) };
}

/** Take it out of the address, also out of this entry of the history: a reload does not bring it twice. */
export function takeBrought(place: Location, history: History): Brought | null {
  const brought = parseBrought(place.search);
  if (place.search) history.replaceState(history.state, "", place.pathname);
  return brought;
}

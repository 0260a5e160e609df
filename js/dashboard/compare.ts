/** Which runs are compared: named in the address by their ids, which are no secrets. */

/** More lines than that nobody tells apart by colour and dash. */
export const MOST_COMPARED = 10;

const RUN_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Return the path of the page that compares runs, the first of them being the one that others are set against. */
export function comparePath(runIds: readonly string[]): string {
  return `/compare?${new URLSearchParams(runIds.map((id) => ["run", id]))}`;
}

/** Return the run ids that an address names, each once; what is none is left out. */
export function comparedIn(search: string): string[] {
  return [...new Set(new URLSearchParams(search).getAll("run"))].filter((id) => RUN_ID.test(id));
}

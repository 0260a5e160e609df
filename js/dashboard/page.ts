/** What the server told this page in the `data-` attributes of `<html>`, and the links that follow from it. */

export interface Account {
  readonly name: string;
  readonly kind: "anonymous" | "user";
}

export interface PageContext {
  /**
   * Which page this is: `runs`, `run`, `claim`, `enter`, `device`, `recover`, `sign-in`, `sign-up`, `settings`, `embed`
   * or `error`.
   */
  readonly name: string;
  /** Path below which the server appears here, without a trailing slash; empty at the root. */
  readonly prefix: string;
  readonly account: Account | null;
  /** Whether the reader is the person whose machine the server runs on. */
  readonly local: boolean;
  readonly embedded: boolean;
  readonly retentionDays: number;
  /** Whether anyone may make an account; else it needs an invitation. */
  readonly signUp: boolean;
  readonly runId: string | null;
  /** `no_access` where the server has answered that there is no such run for this browser. */
  readonly problem: string | null;
}

/** Read the context from a root element's `data-` attributes. */
export function readPage(data: Readonly<Record<string, string | undefined>>): PageContext {
  const kind = data.accountKind === "user" ? "user" : "anonymous";
  return {
    name: data.page ?? "error",
    prefix: data.prefix ?? "",
    account: data.account ? { name: data.account, kind } : null,
    local: data.local === "yes",
    embedded: data.embedded === "yes",
    retentionDays: Number(data.retentionDays ?? "7"),
    signUp: data.signUp !== "invitation",
    runId: data.runId ?? null,
    problem: data.problem ?? null,
  };
}

/** Return the address of a path of ours, below whatever prefix the server appears under. */
export function href(page: Pick<PageContext, "prefix">, path: string): string {
  return `${page.prefix}/${path.replace(/^\//, "")}`;
}

/**
 * Return where to go after signing in: `next` of the query if it is a path on this server, else the start page.
 * Anything that a browser could read as another origin is refused (R17).
 */
export function nextPath(search: string): string {
  const next = new URLSearchParams(search).get("next") ?? "/";
  const base = "http://same.invalid";
  if (!/^\/(?![/\\])/.test(next) || !URL.canParse(next, base)) return "/";
  const url = new URL(next, base);
  return url.origin === base ? url.pathname + url.search : "/";
}

/** What the server told this page in the `data-` attributes of `<html>`, and the links that follow from it. */

export interface Account {
  readonly name: string;
  readonly kind: "anonymous" | "user";
}

/** Somebody else who may say who the reader is. */
export interface Provider {
  readonly name: string;
  readonly label: string;
}

/** A project is told by its account too: names are unique within one. */
export interface ProjectName {
  readonly account: string;
  readonly name: string;
}

export interface PageContext {
  /**
   * Which page this is: `runs`, `run`, `project`, `compare`, `claim`, `enter`, `device`, `recover`, `sign-in`,
   * `sign-up`, `return`, `settings`, `embed` or `error`.
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
  /** Whether accounts have passwords; else providers alone let in. */
  readonly passwords: boolean;
  readonly providers: readonly Provider[];
  /** From which provider this browser is back; null on every page but `return`. */
  readonly provider: string | null;
  readonly runId: string | null;
  readonly project: ProjectName | null;
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
    passwords: data.passwords !== "no",
    providers: readProviders(data.providers),
    provider: data.provider ?? null,
    runId: data.runId ?? null,
    project: data.owner && data.project ? { account: data.owner, name: data.project } : null,
    problem: data.problem ?? null,
  };
}

function readProviders(text: string | undefined): Provider[] {
  const pairs = JSON.parse(text ?? "[]") as [string, string][];
  return pairs.map(([name, label]) => ({ name, label }));
}

/** Return the path of a project's page. */
export function projectPath({ account, name }: ProjectName): string {
  return `p/${encodeURIComponent(account)}/${encodeURIComponent(name)}`;
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
  return localPath(new URLSearchParams(search).get("next") ?? "/");
}

/** Return a path on this server; the start page for whatever could lead elsewhere. */
export function localPath(next: string): string {
  const base = "http://same.invalid";
  if (!/^\/(?![/\\])/.test(next) || !URL.canParse(next, base)) return "/";
  const url = new URL(next, base);
  return url.origin === base ? url.pathname + url.search : "/";
}

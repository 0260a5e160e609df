/**
 * Where the page reaches the run's server: through Jupyter's proxy where that leads to the same server
 * (its instance says so), else at the server's own address.
 */

import type { ServerAddress } from "./contract";

export interface Reached {
  /** Root of the server with a trailing slash, absolute. */
  readonly base: string;
  /** Whether the server has answered there; without that, only links are made with it. */
  readonly answers: boolean;
}

type Fetch = typeof fetch;

const PATIENCE_MS = 3_000;

/** Return the base URL of the Jupyter that shows this page, or null where the page says none. */
export function jupyterBase(document: Document): string | null {
  const text = document.getElementById("jupyter-config-data")?.textContent;
  const said = text ? baseUrlIn(text) : (document.body?.dataset.baseUrl ?? null);
  return said === null ? null : new URL(said.endsWith("/") ? said : `${said}/`, document.location.href).href;
}

function baseUrlIn(text: string): string | null {
  try {
    const { baseUrl } = JSON.parse(text) as { baseUrl?: unknown };
    return typeof baseUrl === "string" ? baseUrl : null;
  } catch {
    return null;
  }
}

async function answersAs(base: string, instance: string, fetcher: Fetch): Promise<boolean> {
  try {
    const response = await fetcher(`${base}healthz`, {
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const said = response.ok ? ((await response.json()) as { instance?: unknown }) : null;
    return said?.instance === instance;
  } catch {
    return false;
  }
}

/** Return where `server` is reached from this page; null where nothing at all is known of it. */
export async function reach(
  server: ServerAddress | null | undefined,
  jupyter: string | null,
  fetcher: Fetch = (input, init) => fetch(input, init),
): Promise<Reached | null> {
  const own = server?.url ? (server.url.endsWith("/") ? server.url : `${server.url}/`) : null;
  if (server?.instance) {
    for (const base of [jupyter && `${jupyter}anonrun/`, own]) {
      if (base && (await answersAs(base, server.instance, fetcher))) return { base, answers: true };
    }
  }
  return own ? { base: own, answers: false } : null;
}

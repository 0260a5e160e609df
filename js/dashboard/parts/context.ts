/** What every part of a page may use: the page's own facts and its ways to the server. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Client } from "../../api";
import type { Send } from "../http";
import type { Account, PageContext } from "../page";
import type { RunNews } from "../run_news";
import type { SessionApi } from "../session";

export interface Shell {
  readonly page: PageContext;
  readonly client: Client;
  readonly send: Send;
  readonly session: SessionApi;
  readonly news: RunNews;
  /** Who is signed in now; differs from `page.account` after signing in without leaving the page. */
  readonly account: Account | null;
  readonly setAccount: (account: Account | null) => void;
  /** Say something once, quietly, at the foot of the window and to screen readers. */
  readonly say: (text: string) => void;
}

export const ShellContext = createContext<Shell | null>(null);

export function useShell(): Shell {
  const shell = useContext(ShellContext);
  if (!shell) throw new Error("useShell needs a ShellContext above it.");
  return shell;
}

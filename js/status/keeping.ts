/** Until when a run is kept, and how urgent that is. Pure. */

import type { RunInfo } from "../api";

/** Why a run is no longer on its server; `at` where that is known. */
export type Gone =
  | { readonly why: "expired"; readonly at: Date | null }
  | { readonly why: "deleted" }
  /** To another server; null where that is not told. */
  | { readonly why: "moved"; readonly to: string | null }
  | { readonly why: "claimed"; readonly account: string | null };

export type Keeping =
  /** Belongs to an account and was never anonymous here. */
  | { readonly kind: "account"; readonly account: string | null }
  | { readonly kind: "claimed"; readonly account: string | null }
  | { readonly kind: "expired"; readonly at: Date | null }
  | { readonly kind: "deleted" }
  | { readonly kind: "moved"; readonly to: string | null }
  /** The server has not told the date yet. */
  | { readonly kind: "unconfirmed" }
  | { readonly kind: "until"; readonly at: Date; readonly leftS: number; readonly urgency: "calm" | "day" | "hour" };

/** What is asked of a run. */
export type Kept = Pick<RunInfo, "anonymous"> & Partial<Pick<RunInfo, "account" | "expires_at">>;

const HOUR_S = 3600;

/** `now` is the server's time in milliseconds; `wasAnonymous` whether this page has seen the run unclaimed. */
export function keepingOf(run: Kept, gone: Gone | null, now: number, wasAnonymous: boolean): Keeping {
  if (gone?.why === "claimed") return { kind: "claimed", account: gone.account };
  if (gone?.why === "expired") return { kind: "expired", at: gone.at };
  if (gone?.why === "moved") return { kind: "moved", to: gone.to };
  if (gone) return { kind: "deleted" };
  if (!run.anonymous) return { kind: wasAnonymous ? "claimed" : "account", account: run.account ?? null };
  const at = run.expires_at ? new Date(run.expires_at) : null;
  if (!at || Number.isNaN(at.getTime())) return { kind: "unconfirmed" };
  const leftS = (at.getTime() - now) / 1000;
  if (leftS <= 0) return { kind: "expired", at };
  return { kind: "until", at, leftS, urgency: leftS < HOUR_S ? "hour" : leftS < 24 * HOUR_S ? "day" : "calm" };
}

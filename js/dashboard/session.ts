/** What this browser may be asked to do for an account: sign in and out, exchange a secret, claim, keep keys. */
import type { AccountInfo, RunInfo, RunList } from "../api";
import type { Send } from "./http";

/** A run that waits to be claimed, with the first of its metrics. */
export type ClaimableRun = RunInfo & { readonly metrics: readonly string[] };

export interface PendingClaim {
  readonly runs: readonly ClaimableRun[];
  readonly expires_at: string;
}

export interface Session {
  readonly account: AccountInfo | null;
  readonly local: boolean;
  readonly pending_claim: PendingClaim | null;
}

export type KeyScope = "full" | "ingest" | "read";

export interface ApiKey {
  readonly key_id: string;
  readonly label: string | null;
  readonly scope: KeyScope;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
}

/** A program that asks to be let in; what it says of itself, and its address as the server saw it. */
export interface DeviceAsks {
  readonly user_code: string;
  readonly client: string;
  readonly host: string;
  readonly address: string;
  readonly created_at: string;
  readonly expires_at: string;
}

/** A browser that is signed in to the account. */
export interface SessionEntry {
  readonly session_id: string;
  readonly current: boolean;
  readonly agent: string | null;
  readonly created_at: string;
  readonly seen_at: string;
  readonly ends_at: string;
}

/** An invitation to sign up that nobody has used; `made_by` is null for one made at the server's machine. */
export interface Invitation {
  readonly invitation_id: string;
  readonly label: string | null;
  readonly made_by: string | null;
  readonly created_at: string;
  readonly expires_at: string;
}

/** Why a browser is sent to a provider. */
export type Purpose = "sign-in" | "link" | "confirm";

/** What a browser brought back from a provider. */
export interface Brought {
  readonly state: string;
  readonly code?: string;
  readonly error?: string;
  readonly iss?: string;
}

/** Somebody whom a provider knows and who is to choose a name. */
export interface Newcomer {
  readonly provider: string;
  readonly label: string;
  readonly suggested_name: string | null;
  readonly next: string;
}

export interface VisitEnded {
  readonly purpose: Purpose;
  readonly next: string;
  readonly account: AccountInfo | null;
  readonly newcomer: Newcomer | null;
}

export interface Identity {
  readonly identity_id: string;
  /** Null where this server no longer knows the provider. */
  readonly provider: string | null;
  readonly label: string;
  readonly subject: string;
  readonly created_at: string;
  readonly used_at: string;
}

export interface WaysIn {
  readonly password: boolean;
  readonly identities: readonly Identity[];
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Everything under `/api/v1/session` and `/api/v1/account`. */
export function sessionApi(send: Send) {
  return {
    session: () => send<Session>("GET", "session"),
    exchange: (token: string) => send<{ run_id: string | null }>("POST", "session/exchange", { token }),
    signUp: (who: Credentials & { invitation?: string }) => send<AccountInfo>("POST", "session/sign-up", who),
    signIn: (who: Credentials) => send<AccountInfo>("POST", "session/sign-in", who),
    signOut: () => send<void>("DELETE", "session"),
    openClaim: (what: { token: string } | { run_id: string }) =>
      send<PendingClaim>("POST", "session/pending-claim", what),
    dropClaim: () => send<void>("DELETE", "session/pending-claim"),
    claim: () => send<RunList>("POST", "session/claim"),
    account: () => send<AccountInfo>("GET", "account"),
    keys: () => send<readonly ApiKey[]>("GET", "account/keys"),
    makeKey: (wanted: { label: string; scope: KeyScope; expires_in_days: number | null }) =>
      send<ApiKey & { key: string }>("POST", "account/keys", wanted),
    revokeKey: (keyId: string) => send<void>("DELETE", `account/keys/${encodeURIComponent(keyId)}`),
    sessions: () => send<readonly SessionEntry[]>("GET", "account/sessions"),
    endSession: (id: string) => send<void>("DELETE", `account/sessions/${encodeURIComponent(id)}`),
    endOtherSessions: () => send<void>("DELETE", "account/sessions"),
    confirm: (password: string) => send<void>("POST", "session/confirm", { password }),
    invitations: () => send<readonly Invitation[]>("GET", "invitations"),
    makeInvitation: (label: string, days: number) =>
      send<Invitation & { invitation: string }>("POST", "invitations", { label, expires_in_days: days }),
    revokeInvitation: (id: string) => send<void>("DELETE", `invitations/${encodeURIComponent(id)}`),
    deleteAccount: () => send<void>("DELETE", "account"),
    recoveryCodesLeft: () => send<{ left: number }>("GET", "account/recovery-codes"),
    makeRecoveryCodes: () => send<{ codes: readonly string[] }>("POST", "account/recovery-codes"),
    recover: (username: string, code: string, next: string) =>
      send<AccountInfo>("POST", "session/recover", { username, code, new: next }),
    checkDevice: (userCode: string) => send<DeviceAsks>("POST", "device/check", { user_code: userCode }),
    decideDevice: (userCode: string, approve: boolean) =>
      send<void>("POST", "device/decide", { user_code: userCode, approve }),
    setOut: (visit: { provider: string; purpose: Purpose; next: string; invitation?: string }) =>
      send<{ url: string }>("POST", "session/provider", visit),
    comeBack: (provider: string, brought: Brought) =>
      send<VisitEnded>("POST", "session/provider/return", { provider, ...brought }),
    newcomer: () => send<Newcomer>("GET", "session/provider"),
    welcome: (username: string) => send<AccountInfo>("POST", "session/provider/sign-up", { username }),
    waysIn: () => send<WaysIn>("GET", "account/identities"),
    unlink: (id: string) => send<void>("DELETE", `account/identities/${encodeURIComponent(id)}`),
    changePassword: (current: string | null, next: string) =>
      send<void>("POST", "account/password", { current, new: next }),
  };
}

export type SessionApi = ReturnType<typeof sessionApi>;

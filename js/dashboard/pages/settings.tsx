/** A real account's own page: who it is, its API keys, how one signs in to it, the browsers that are signed in to it. */

import { useCallback, useEffect, useState } from "preact/hooks";
import type { AccountInfo } from "../../api";
import { asRefusal, type Refusal } from "../http";
import { AccountIdentities } from "../parts/account_identities";
import { AccountInvitations } from "../parts/account_invitations";
import { AccountKeys } from "../parts/account_keys";
import { AccountLeaving } from "../parts/account_leaving";
import { AccountPassword } from "../parts/account_password";
import { AccountRecovery } from "../parts/account_recovery";
import { AccountSessions } from "../parts/account_sessions";
import { useShell } from "../parts/context";
import { Failed, Loading } from "../parts/loading";
import { Exact } from "../parts/time";
import type { WaysIn } from "../session";

export function SettingsPage() {
  const { page, session } = useShell();
  const [account, setAccount] = useState<AccountInfo | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [ways, setWays] = useState<WaysIn | null>(null);
  const [waysRefusal, setWaysRefusal] = useState<Refusal | null>(null);
  const loadWays = useCallback(() => {
    setWaysRefusal(null);
    session.waysIn().then(setWays, (reason) => setWaysRefusal(asRefusal(reason)));
  }, [session]);
  useEffect(loadWays, [loadWays]);
  useEffect(() => {
    session.account().then(setAccount, (reason) => setRefusal(asRefusal(reason)));
  }, [session]);
  return (
    <article class="settings">
      <h1>Settings</h1>
      <Profile account={account} refusal={refusal} />
      {account?.role === "operator" && <AccountInvitations />}
      <AccountKeys />
      {waysRefusal && <Failed refusal={waysRefusal} onRetry={loadWays} />}
      {ways && (page.providers.length > 0 || ways.identities.length > 0) && (
        <AccountIdentities ways={ways} onChanged={loadWays} />
      )}
      {ways && page.passwords && <AccountPassword given={ways.password} onChanged={loadWays} />}
      {page.passwords && <AccountRecovery />}
      <AccountSessions />
      <AccountLeaving />
    </article>
  );
}

interface ProfileProps {
  readonly account: AccountInfo | null;
  readonly refusal: Refusal | null;
}

function Profile({ account, refusal }: ProfileProps) {
  return (
    <section class="card" aria-labelledby="profile">
      <h2 id="profile">Profile</h2>
      {refusal && <Failed refusal={refusal} />}
      {!account && !refusal && <Loading what="Reading your account…" />}
      {account && (
        <dl class="facts">
          <dt>Username</dt>
          <dd>
            <b>{account.name}</b>
            {account.role === "operator" && <span class="tag">operator</span>}
          </dd>
          <dt>Member since</dt>
          <dd>
            <Exact at={account.created_at} />
          </dd>
        </dl>
      )}
    </section>
  );
}

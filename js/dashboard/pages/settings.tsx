/** A real account's own page: who it is, its API keys, its password, the browsers that are signed in to it. */

import { useEffect, useState } from "preact/hooks";
import type { AccountInfo } from "../../api";
import { asRefusal, type Refusal } from "../http";
import { AccountInvitations } from "../parts/account_invitations";
import { AccountKeys } from "../parts/account_keys";
import { AccountLeaving } from "../parts/account_leaving";
import { AccountPassword } from "../parts/account_password";
import { AccountRecovery } from "../parts/account_recovery";
import { AccountSessions } from "../parts/account_sessions";
import { useShell } from "../parts/context";
import { Failed, Loading } from "../parts/loading";
import { Exact } from "../parts/time";

export function SettingsPage() {
  const { session } = useShell();
  const [account, setAccount] = useState<AccountInfo | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  useEffect(() => {
    session.account().then(setAccount, (reason) => setRefusal(asRefusal(reason)));
  }, [session]);
  return (
    <article class="settings">
      <h1>Settings</h1>
      <Profile account={account} refusal={refusal} />
      {account?.role === "operator" && <AccountInvitations />}
      <AccountKeys />
      <AccountPassword />
      <AccountRecovery />
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

/** Sign in and sign up as pages of their own; afterwards to where the reader was going. */
import { href, nextPath } from "../page";
import { type AccountAct, AccountForms } from "../parts/account_forms";
import { useShell } from "../parts/context";

export interface SignPageProps {
  readonly act: AccountAct;
  /** What an invitation's link brought; it lives in this page's memory only. */
  readonly invitation: string | undefined;
}

export function SignPage({ act, invitation }: SignPageProps) {
  const { page, account, session } = useShell();
  const go = () => location.assign(href(page, nextPath(location.search)));
  if (account?.kind === "user") {
    return (
      <article class="notice">
        <h1>You are signed in as {account.name}</h1>
        <p class="actions">
          <a class="button strong" href={href(page, "/")}>
            Your runs
          </a>
          <button type="button" class="button" onClick={() => session.signOut().then(() => location.reload())}>
            Sign out
          </button>
        </p>
      </article>
    );
  }
  return (
    <article class="sign">
      <h1>{act === "sign-in" ? "Sign in" : "Sign up"}</h1>
      <p class="dim">
        {invitation
          ? "You were invited to make an account here. The invitation counts for one account."
          : "An account keeps runs for good. To watch a run that you have a link to, none is needed."}
      </p>
      <AccountForms start={act} invitation={invitation} next={nextPath(location.search)} onDone={go} />
    </article>
  );
}

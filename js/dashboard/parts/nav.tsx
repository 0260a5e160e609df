/** Who is signed in, and the ways from here. An anonymous account has no settings, so there is no link to them. */
import { useState } from "preact/hooks";
import { asRefusal } from "../http";
import { href } from "../page";
import { useShell } from "./context";

export function AccountNav() {
  const { page, session, account, say } = useShell();
  const [leaving, setLeaving] = useState(false);
  const here = (name: string) => (page.name === name ? "page" : undefined);
  const signOut = async () => {
    setLeaving(true);
    try {
      await session.signOut();
      location.assign(href(page, "/"));
    } catch (reason) {
      say(asRefusal(reason).message);
      setLeaving(false);
    }
  };
  const runs = (
    <a href={href(page, "/")} aria-current={here("runs")}>
      Runs
    </a>
  );
  if (account?.kind === "user") {
    return (
      <>
        {runs}
        <a href={href(page, "/settings")} aria-current={here("settings")}>
          {account.name}
        </a>
        <button type="button" class="quiet" disabled={leaving} onClick={signOut}>
          Sign out
        </button>
      </>
    );
  }
  return (
    <>
      {runs}
      {account && <span class="dim who">{account.name}</span>}
      <a href={href(page, "/sign-in")} aria-current={here("sign-in")}>
        Sign in
      </a>
      <a href={href(page, "/sign-up")} aria-current={here("sign-up")}>
        Sign up
      </a>
    </>
  );
}

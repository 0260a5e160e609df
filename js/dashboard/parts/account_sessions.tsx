/** The browsers that are signed in to an account: which they are, when they were seen, and out with them. */
import { asRefusal } from "../http";
import { href } from "../page";
import type { SessionEntry } from "../session";
import { useShell } from "./context";
import { type Column, Listing, useListing } from "./listing";
import { Ago } from "./time";

export function AccountSessions() {
  const { page, session, say } = useShell();
  const listed = useListing(session.sessions);
  const failed = (reason: unknown) => say(asRefusal(reason).message);
  const end = (entry: SessionEntry) => {
    if (entry.current) return session.signOut().then(() => location.assign(href(page, "/")), failed);
    const ended = session.endSession(entry.session_id).then(() => say(`${named(entry)} is signed out.`), failed);
    return ended.then(listed.load);
  };
  const endOthers = () =>
    session
      .endOtherSessions()
      .then(() => say("Every other browser is signed out."), failed)
      .then(listed.load);
  return (
    <section class="card" aria-labelledby="sessions">
      <h2 id="sessions">Browsers</h2>
      <p class="dim">
        Where this account is signed in. A browser is signed out after 14 days without use, and after 30 days in any
        case. API keys are not affected.
      </p>
      <Listing
        label="Browsers that are signed in"
        listed={listed}
        loading="Reading your sessions…"
        keyOf={(entry) => entry.session_id}
        columns={COLUMNS}
        acts={[
          {
            label: "Sign out",
            named: (entry) => `Sign out ${entry.current ? "this browser" : named(entry)}`,
            act: (entry) => void end(entry),
          },
        ]}
      />
      {listed.things && listed.things.length > 1 && (
        <button type="button" class="button" onClick={endOthers}>
          Sign out everywhere else
        </button>
      )}
    </section>
  );
}

const named = (entry: SessionEntry) => entry.agent ?? "A browser that does not say which";

const COLUMNS: readonly Column<SessionEntry>[] = [
  {
    head: "browser",
    of: (entry) => (
      <>
        {named(entry)} {entry.current && <span class="tag">this one</span>}
      </>
    ),
  },
  { head: "signed in", of: ({ created_at }, nowMs) => <Ago at={created_at} nowMs={nowMs} /> },
  { head: "last seen", of: ({ seen_at }, nowMs) => <Ago at={seen_at} nowMs={nowMs} /> },
];

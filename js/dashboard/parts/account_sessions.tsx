/** The browsers that are signed in to an account: which they are, when they were seen, and out with them. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { asRefusal, type Refusal } from "../http";
import { href } from "../page";
import type { SessionEntry } from "../session";
import { useShell } from "./context";
import { Failed, Loading } from "./loading";
import { Scroll } from "./scroll";
import { Ago, useNow } from "./time";

export function AccountSessions() {
  const { page, session, say } = useShell();
  const [entries, setEntries] = useState<readonly SessionEntry[] | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const load = useCallback(() => {
    setRefusal(null);
    session.sessions().then(setEntries, (reason) => setRefusal(asRefusal(reason)));
  }, [session]);
  useEffect(load, [load]);
  const failed = (reason: unknown) => say(asRefusal(reason).message);
  const end = (entry: SessionEntry) => {
    if (entry.current) return session.signOut().then(() => location.assign(href(page, "/")), failed);
    const ended = session.endSession(entry.session_id).then(() => say(`${named(entry)} is signed out.`), failed);
    return ended.then(load);
  };
  const endOthers = () =>
    session
      .endOtherSessions()
      .then(() => say("Every other browser is signed out."), failed)
      .then(load);
  return (
    <section class="card" aria-labelledby="sessions">
      <h2 id="sessions">Browsers</h2>
      <p class="dim">
        Where this account is signed in. A browser is signed out after 14 days without use, and after 30 days in any
        case. API keys are not affected.
      </p>
      {refusal && <Failed refusal={refusal} onRetry={load} />}
      {!entries && !refusal && <Loading what="Reading your sessions…" />}
      {entries && <SessionTable entries={entries} onEnd={end} />}
      {entries && entries.length > 1 && (
        <button type="button" class="button" onClick={endOthers}>
          Sign out everywhere else
        </button>
      )}
    </section>
  );
}

const named = (entry: SessionEntry) => entry.agent ?? "A browser that does not say which";

interface SessionTableProps {
  readonly entries: readonly SessionEntry[];
  readonly onEnd: (entry: SessionEntry) => void;
}

function SessionTable({ entries, onEnd }: SessionTableProps) {
  const nowMs = useNow(60_000);
  return (
    <Scroll label="Browsers that are signed in">
      <table>
        <thead>
          <tr>
            <th scope="col">browser</th>
            <th scope="col">signed in</th>
            <th scope="col">last seen</th>
            <th scope="col">
              <span class="unseen">actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.session_id}>
              <th scope="row">
                {named(entry)} {entry.current && <span class="tag">this one</span>}
              </th>
              <td>
                <Ago at={entry.created_at} nowMs={nowMs} />
              </td>
              <td>
                <Ago at={entry.seen_at} nowMs={nowMs} />
              </td>
              <td class="number">
                <button
                  type="button"
                  class="quiet"
                  onClick={() => onEnd(entry)}
                  aria-label={`Sign out ${entry.current ? "this browser" : named(entry)}`}
                >
                  Sign out
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

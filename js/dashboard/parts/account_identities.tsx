/** Who the account's user is to providers: each signs in to it, and can be added and taken away. */
import { useState } from "preact/hooks";
import { asRefusal } from "../http";
import type { Identity, WaysIn } from "../session";
import { useConfirmed } from "./confirmed";
import { useShell } from "./context";
import { Confirm } from "./dialog";
import { type Column, Listing } from "./listing";
import { ProviderButtons } from "./providers";
import { Ago } from "./time";

interface Props {
  readonly ways: WaysIn;
  readonly onChanged: () => void;
}

export function AccountIdentities({ ways, onChanged }: Props) {
  const { page, session, say } = useShell();
  const [leaving, setLeaving] = useState<Identity | null>(null);
  const { confirmed, dialog } = useConfirmed();
  const linked = new Set(ways.identities.map(({ provider }) => provider));
  const others = page.providers.filter(({ name }) => !linked.has(name));
  const unlink = async (identity: Identity) => {
    setLeaving(null);
    try {
      if (await confirmed(() => session.unlink(identity.identity_id))) {
        say(`${identity.label} no longer signs in to this account.`);
        onChanged();
      }
    } catch (reason) {
      say(asRefusal(reason).message);
    }
  };
  return (
    <section class="card" aria-labelledby="identities">
      <h2 id="identities">Ways to sign in</h2>
      <p class="dim">{waysInWords(ways)} Nothing else is kept of who you are elsewhere.</p>
      <Listing
        label="Who you are to providers"
        listed={{ things: ways.identities, refusal: null, load: onChanged }}
        loading=""
        keyOf={(identity) => identity.identity_id}
        columns={COLUMNS}
        acts={[
          {
            label: "Take away",
            named: ({ label }) => `Take away ${label}`,
            act: setLeaving,
            unless: (identity) => isOnlyWay(ways, identity),
          },
        ]}
      />
      {ways.identities.some((identity) => isOnlyWay(ways, identity)) && (
        <p class="hint">It is the only way in, so it cannot be taken away.</p>
      )}
      {others.length > 0 && <ProviderButtons providers={others} purpose="link" next="/settings" guard={confirmed} />}
      {leaving && (
        <Confirm
          title={`Take ${leaving.label} away?`}
          act="Take it away"
          busy="Taking it away…"
          onAct={() => unlink(leaving)}
          onClose={() => setLeaving(null)}
        >
          <p>
            Whoever is {leaving.subject} there no longer gets in to this account. Browsers that are signed in stay so.
          </p>
        </Confirm>
      )}
      {dialog}
    </section>
  );
}

function waysInWords({ password, identities }: WaysIn): string {
  if (identities.length === 0) return "You get in by your password only.";
  return password ? "You get in by your password, or as who stands here." : "You get in as who stands here.";
}

function isOnlyWay(ways: WaysIn, identity: Identity): boolean {
  return !ways.password && !ways.identities.some((other) => other !== identity && other.provider !== null);
}

const COLUMNS: readonly Column<Identity>[] = [
  {
    head: "provider",
    of: ({ label, provider }) => (
      <>
        {label} {provider === null && <span class="tag">not in use here</span>}
      </>
    ),
  },
  { head: "there you are", of: ({ subject }) => <span class="subject">{subject}</span> },
  { head: "added", of: ({ created_at }, nowMs) => <Ago at={created_at} nowMs={nowMs} /> },
  { head: "last used", of: ({ used_at }, nowMs) => <Ago at={used_at} nowMs={nowMs} /> },
];

/** What an operator may: invite people to sign up, see who has not come yet, and take an invitation back. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { asRefusal, type Refusal } from "../http";
import { href } from "../page";
import type { Invitation } from "../session";
import { Choice } from "./choice";
import { useShell } from "./context";
import { CopyText } from "./copy";
import { Field } from "./field";
import { Form } from "./form";
import { Failed, Loading } from "./loading";
import { Scroll } from "./scroll";
import { Ago, Exact, useNow } from "./time";

const LIVES = [
  { value: "7", label: "for a week" },
  { value: "1", label: "for a day" },
  { value: "30", label: "for 30 days" },
];

export function AccountInvitations() {
  const { page, session, say } = useShell();
  const [invitations, setInvitations] = useState<readonly Invitation[] | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [link, setLink] = useState<string | null>(null);
  const load = useCallback(() => {
    setRefusal(null);
    session.invitations().then(setInvitations, (reason) => setRefusal(asRefusal(reason)));
  }, [session]);
  useEffect(load, [load]);
  const make = async (values: Readonly<Record<string, string>>) => {
    const made = await session.makeInvitation((values.label ?? "").trim(), Number(values.days ?? "7"));
    setLink(`${location.origin}${href(page, "/sign-up")}#i=${made.invitation}`);
    load();
  };
  const revoke = (invitation: Invitation) =>
    session
      .revokeInvitation(invitation.invitation_id)
      .then(
        () => say("The invitation counts no more."),
        (reason) => say(asRefusal(reason).message),
      )
      .then(load);
  return (
    <section class="card" aria-labelledby="invitations">
      <h2 id="invitations">Invitations</h2>
      <p class="dim">
        You look after this server.{" "}
        {page.signUp
          ? "Anyone may make an account here, so nobody needs an invitation; with ANONRUN_SIGN_UP=false they do."
          : "An account here needs an invitation: a link that makes one account. Whoever has it can use it."}
      </p>
      {refusal && <Failed refusal={refusal} onRetry={load} />}
      {!invitations && !refusal && <Loading what="Reading the invitations…" />}
      {invitations && invitations.length > 0 && <InvitationTable invitations={invitations} onRevoke={revoke} />}
      {link && (
        <div class="fresh">
          <CopyText label="Link to send, shown this once" text={link} />
        </div>
      )}
      <Form label="Invite somebody" submit="Make an invitation" busy="Making…" place={() => "label"} onSubmit={make}>
        {(errorAt) => (
          <>
            <Field label="For whom" name="label" autoComplete="off" maxLength={100} error={errorAt("label")} />
            <Choice label="It counts" name="days" options={LIVES} />
          </>
        )}
      </Form>
    </section>
  );
}

interface InvitationTableProps {
  readonly invitations: readonly Invitation[];
  readonly onRevoke: (invitation: Invitation) => void;
}

function InvitationTable({ invitations, onRevoke }: InvitationTableProps) {
  const nowMs = useNow(60_000);
  return (
    <Scroll label="Invitations that nobody has used">
      <table>
        <thead>
          <tr>
            <th scope="col">for</th>
            <th scope="col">made</th>
            <th scope="col">by</th>
            <th scope="col">counts until</th>
            <th scope="col">
              <span class="unseen">actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {invitations.map((invitation) => (
            <tr key={invitation.invitation_id}>
              <th scope="row">{invitation.label || "–"}</th>
              <td>
                <Ago at={invitation.created_at} nowMs={nowMs} />
              </td>
              <td>{invitation.made_by ?? "the server's machine"}</td>
              <td>
                <Exact at={invitation.expires_at} />
              </td>
              <td class="number">
                <button
                  type="button"
                  class="quiet"
                  onClick={() => onRevoke(invitation)}
                  aria-label={`Revoke the invitation for ${invitation.label || "nobody named"}`}
                >
                  Revoke
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

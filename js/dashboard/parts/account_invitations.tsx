/** What an operator may: invite people to sign up, see who has not come yet, and take an invitation back. */
import { useState } from "preact/hooks";
import { asRefusal } from "../http";
import { href } from "../page";
import type { Invitation } from "../session";
import { Choice } from "./choice";
import { useShell } from "./context";
import { CopyText } from "./copy";
import { Field } from "./field";
import { Form } from "./form";
import { type Column, Listing, useListing } from "./listing";
import { Ago, Exact } from "./time";

const LIVES = [
  { value: "7", label: "for a week" },
  { value: "1", label: "for a day" },
  { value: "30", label: "for 30 days" },
];

const COLUMNS: readonly Column<Invitation>[] = [
  { head: "for", of: ({ label }) => label || "–" },
  { head: "made", of: ({ created_at }, nowMs) => <Ago at={created_at} nowMs={nowMs} /> },
  { head: "by", of: ({ made_by }) => made_by ?? "the server's machine" },
  { head: "counts until", of: ({ expires_at }) => <Exact at={expires_at} /> },
];

export function AccountInvitations() {
  const { page, session, say } = useShell();
  const listed = useListing(session.invitations);
  const [link, setLink] = useState<string | null>(null);
  const make = async (values: Readonly<Record<string, string>>) => {
    const made = await session.makeInvitation((values.label ?? "").trim(), Number(values.days ?? "7"));
    setLink(`${location.origin}${href(page, "/sign-up")}#i=${made.invitation}`);
    listed.load();
  };
  const revoke = (invitation: Invitation) =>
    session
      .revokeInvitation(invitation.invitation_id)
      .then(
        () => say("The invitation counts no more."),
        (reason) => say(asRefusal(reason).message),
      )
      .then(listed.load);
  return (
    <section class="card" aria-labelledby="invitations">
      <h2 id="invitations">Invitations</h2>
      <p class="dim">
        You look after this server.{" "}
        {page.signUp
          ? "Anyone may make an account here, so nobody needs an invitation; with ANONRUN_SIGN_UP=false they do."
          : "An account here needs an invitation: a link that makes one account. Whoever has it can use it."}
      </p>
      <Listing
        label="Invitations that nobody has used"
        listed={listed}
        loading="Reading the invitations…"
        keyOf={(invitation) => invitation.invitation_id}
        columns={COLUMNS}
        acts={[
          {
            label: "Revoke",
            named: ({ label }) => `Revoke the invitation for ${label || "nobody named"}`,
            act: (invitation) => void revoke(invitation),
          },
        ]}
      />
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

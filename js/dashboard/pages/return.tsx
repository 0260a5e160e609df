/**
 * To where a provider sends browsers back. What they bring is sent on by POST, so that opening this address changes nothing
 * (R10); who comes for the first time chooses a name, also after a reload.
 */
import { useEffect, useState } from "preact/hooks";
import { takeBrought } from "../brought";
import { asRefusal, type Refusal } from "../http";
import { leaveWord } from "../kept";
import { href, localPath } from "../page";
import { useShell } from "../parts/context";
import { Field } from "../parts/field";
import { Form } from "../parts/form";
import { Loading } from "../parts/loading";
import type { Newcomer, SessionApi } from "../session";
import { Notice } from "./notice";

type Stage =
  | { readonly at: "asking" }
  | { readonly at: "choosing"; readonly newcomer: Newcomer }
  | { readonly at: "refused"; readonly refusal: Refusal };

async function comeBack(session: SessionApi, provider: string, label: string): Promise<{ next: string } | Newcomer> {
  const brought = takeBrought(location, history);
  if (brought === null) return session.newcomer();
  const ended = await session.comeBack(provider, brought);
  if (ended.newcomer) return ended.newcomer;
  if (ended.purpose === "link") leaveWord(sessionStorage, `${label} signs in to this account from now on.`);
  if (ended.purpose === "confirm") leaveWord(sessionStorage, "Confirmed, for ten minutes. Do it once more.");
  return { next: ended.next };
}

export function ReturnPage({ provider }: { readonly provider: string }) {
  const { page, session } = useShell();
  const [stage, setStage] = useState<Stage>({ at: "asking" });
  const label = page.providers.find(({ name }) => name === provider)?.label ?? provider;
  const go = (next: string) => location.replace(href(page, localPath(next)));

  useEffect(() => {
    comeBack(session, provider, label).then(
      (end) => ("provider" in end ? setStage({ at: "choosing", newcomer: end }) : go(end.next)),
      (reason) => setStage({ at: "refused", refusal: asRefusal(reason) }),
    );
  }, [session, provider, label]);

  if (stage.at === "asking") return <Loading what={`Asking ${label} who you are…`} />;
  if (stage.at === "refused") return <NotSignedIn label={label} refusal={stage.refusal} />;
  return <Choosing newcomer={stage.newcomer} onDone={() => go(stage.newcomer.next)} />;
}

function NotSignedIn({ label, refusal }: { readonly label: string; readonly refusal: Refusal }) {
  const { account } = useShell();
  const heading = HEADINGS[refusal.code] ?? "You are not signed in";
  const back =
    account?.kind === "user" ? { label: "Settings", path: "/settings" } : { label: "Sign in", path: "/sign-in" };
  return (
    <Notice heading={heading.replace("…", label)} actions={[back, { label: "Your runs", path: "/" }]}>
      <p>{refusal.message}</p>
    </Notice>
  );
}

const HEADINGS: Readonly<Record<string, string>> = {
  sign_in_denied: "… did not let you through",
  provider_unavailable: "… does not answer",
  provider_refused: "… could not be believed",
  sign_up_closed: "An account here needs an invitation",
  identity_taken: "That belongs to another account",
  visit_over: "This sign-in is over",
};

interface ChoosingProps {
  readonly newcomer: Newcomer;
  readonly onDone: () => void;
}

function Choosing({ newcomer, onDone }: ChoosingProps) {
  const { session } = useShell();
  return (
    <article class="sign">
      <h1>Choose a username</h1>
      <p class="dim">
        {newcomer.label} has said who you are, and this is your first time here. Your runs will bear this name; of what{" "}
        {newcomer.label} says, only its own number or name for you is kept.
      </p>
      <Form
        label="Choose a username"
        submit="Create the account"
        busy="Creating…"
        place={(refusal) => (refusal.code.startsWith("username_") ? "username" : null)}
        onSubmit={async (values) => {
          await session.welcome((values.username ?? "").trim());
          onDone();
        }}
      >
        {(errorAt) => (
          <Field
            label="Username"
            name="username"
            autoComplete="username"
            initial={newcomer.suggested_name ?? ""}
            hint="Shown with your runs. Letters, digits and . _ -"
            error={errorAt("username")}
          />
        )}
      </Form>
      <p class="dim after">
        Is there an account of yours here already? Sign in to it the way you always do, and add {newcomer.label} in its
        settings.
      </p>
    </article>
  );
}

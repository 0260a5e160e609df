/** Sign in or sign up, in place: whatever the page holds, such as a claim, stays as it is. */
import { useState } from "preact/hooks";
import type { AccountInfo } from "../../api";
import type { Refusal } from "../http";
import { href } from "../page";
import type { Credentials } from "../session";
import { useShell } from "./context";
import { Field } from "./field";
import { Form } from "./form";
import { ProviderButtons } from "./providers";
import { Tabs } from "./tabs";

export type AccountAct = "sign-up" | "sign-in";

const PLACES: Readonly<Record<string, string>> = {
  username_taken: "username",
  username_invalid: "username",
  password_weak: "password",
  sign_in_failed: "password",
};

const MIN_PASSWORD_CHARS = 8;

function tooShort(values: Readonly<Record<string, string>>) {
  if ((values.password ?? "").length >= MIN_PASSWORD_CHARS) return null;
  return { field: "password", text: `The password needs at least ${MIN_PASSWORD_CHARS} characters.` };
}

const credentials = (values: Readonly<Record<string, string>>): Credentials => ({
  username: (values.username ?? "").trim(),
  password: values.password ?? "",
});

export interface AccountFormsProps {
  readonly start: AccountAct;
  readonly invitation?: string | undefined;
  /** Where to go on when a provider has sent the browser back: the page that this is on. */
  readonly next: string;
  readonly onDone: (account: AccountInfo) => void;
}

/** The ways to sign in and up that this server has: by a provider, by a password, or by either. */
export function AccountForms(props: AccountFormsProps) {
  const { page } = useShell();
  return (
    <section class="account-forms">
      {page.providers.length > 0 && (
        <ProviderButtons
          providers={page.providers}
          purpose="sign-in"
          next={props.next}
          {...(props.invitation ? { invitation: props.invitation } : {})}
        />
      )}
      {page.providers.length > 0 && page.passwords && <p class="or">or with a password</p>}
      {page.passwords && <PasswordForms {...props} />}
      {!page.passwords && !page.signUp && !props.invitation && (
        <p class="hint">New accounts may need an invitation here. Ask the operator of this server for one.</p>
      )}
    </section>
  );
}

function PasswordForms({ start, invitation, onDone }: AccountFormsProps) {
  const { page, session } = useShell();
  const [act, setAct] = useState<AccountAct>(start);
  const place = (refusal: Refusal) => PLACES[refusal.code] ?? null;
  const tabs = [
    { key: "sign-up", label: "New account" },
    { key: "sign-in", label: "I have an account" },
  ];
  return (
    <Tabs label="Account" tabs={tabs} chosen={act} onChoose={(key) => setAct(key as AccountAct)}>
      {act === "sign-up" && !page.signUp && !invitation ? (
        <p class="stale">
          New accounts here need an invitation. Ask the operator of this server for one; it is a link, and opens this
          page.
        </p>
      ) : act === "sign-up" ? (
        <Form
          key="sign-up"
          label="Sign up"
          submit="Create the account"
          busy="Creating…"
          place={place}
          check={tooShort}
          onSubmit={async (values) =>
            onDone(await session.signUp({ ...credentials(values), ...(invitation ? { invitation } : {}) }))
          }
        >
          {(errorAt) => (
            <>
              <Field
                label="Username"
                name="username"
                autoComplete="username"
                hint="Shown with your runs. Letters, digits and . _ -"
                error={errorAt("username")}
              />
              <Field
                label="Password"
                name="password"
                autoComplete="new-password"
                secret
                hint={`At least ${MIN_PASSWORD_CHARS} characters. No e-mail is asked for, so keep it in a password manager.`}
                error={errorAt("password")}
              />
              {page.embedded && <p class="hint">This server runs on your machine; the account lives there too.</p>}
            </>
          )}
        </Form>
      ) : (
        <Form
          key="sign-in"
          label="Sign in"
          submit="Sign in"
          busy="Signing in…"
          place={place}
          onSubmit={async (values) => onDone(await session.signIn(credentials(values)))}
        >
          {(errorAt) => (
            <>
              <Field label="Username" name="username" autoComplete="username" error={errorAt("username")} />
              <Field
                label="Password"
                name="password"
                autoComplete="current-password"
                secret
                error={errorAt("password")}
              />
              <p class="hint">
                Forgotten? A <a href={href(page, "/recover")}>recovery code</a> sets a new one.
              </p>
            </>
          )}
        </Form>
      )}
    </Tabs>
  );
}

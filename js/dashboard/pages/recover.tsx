/** A way back in for who has lost the password and kept a recovery code. */
import { href } from "../page";
import { useShell } from "../parts/context";
import { Field } from "../parts/field";
import { Form } from "../parts/form";

const PLACES: Readonly<Record<string, string>> = { recovery_failed: "code", password_weak: "new" };

export function RecoverPage() {
  const { page, session } = useShell();
  return (
    <article class="sign">
      <h1>Recover an account</h1>
      <p class="dim">
        A recovery code sets a new password, once. Every browser is signed out, and this one in; API keys stay as they
        are.
      </p>
      <Form
        label="Recover an account"
        submit="Set the new password"
        busy="Setting…"
        place={(refusal) => PLACES[refusal.code] ?? null}
        onSubmit={async (values) => {
          await session.recover((values.username ?? "").trim(), values.code ?? "", values.new ?? "");
          location.assign(href(page, "/settings"));
        }}
      >
        {(errorAt) => (
          <>
            <Field label="Username" name="username" autoComplete="username" error={errorAt("username")} />
            <Field
              label="Recovery code"
              name="code"
              autoComplete="off"
              hint="One of the ten that the settings gave you. Case and dashes do not matter."
              error={errorAt("code")}
            />
            <Field
              label="New password"
              name="new"
              autoComplete="new-password"
              secret
              hint="At least 8 characters."
              error={errorAt("new")}
            />
          </>
        )}
      </Form>
      <p class="dim after">No code is left? Then nobody can let you in: the account has no e-mail to send a link to.</p>
    </article>
  );
}

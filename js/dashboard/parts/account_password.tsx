/** A new password, for who knows the old one. */
import { useState } from "preact/hooks";
import { useShell } from "./context";
import { Field } from "./field";
import { Form } from "./form";

const PASSWORD_PLACES: Readonly<Record<string, string>> = {
  password_weak: "new",
  sign_in_failed: "current",
  password_wrong: "current",
};

export function AccountPassword() {
  const { session, say } = useShell();
  const [round, setRound] = useState(0);
  return (
    <section class="card" aria-labelledby="password">
      <h2 id="password">Password</h2>
      <Form
        key={round}
        label="Change the password"
        submit="Change the password"
        busy="Changing…"
        place={(refusal) => PASSWORD_PLACES[refusal.code] ?? null}
        onSubmit={async (values) => {
          await session.changePassword(values.current ?? "", values.new ?? "");
          setRound(round + 1);
          say("The password is changed. You are signed out everywhere else.");
        }}
      >
        {(errorAt) => (
          <>
            <Field
              label="Current password"
              name="current"
              autoComplete="current-password"
              secret
              error={errorAt("current")}
            />
            <Field
              label="New password"
              name="new"
              autoComplete="new-password"
              secret
              hint="At least 8 characters. Every other browser is signed out."
              error={errorAt("new")}
            />
          </>
        )}
      </Form>
    </section>
  );
}

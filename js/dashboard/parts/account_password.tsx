/** A new password, for who knows the old one; a first one, for who has just shown who they are. */
import { useState } from "preact/hooks";
import { useConfirmed } from "./confirmed";
import { useShell } from "./context";
import { Field } from "./field";
import { Form } from "./form";

const PASSWORD_PLACES: Readonly<Record<string, string>> = {
  password_weak: "new",
  sign_in_failed: "current",
  password_wrong: "current",
};

interface Props {
  /** Whether there is one; who signs in by a provider has none until one is set here. */
  readonly given: boolean;
  readonly onChanged: () => void;
}

export function AccountPassword({ given, onChanged }: Props) {
  const { session, say } = useShell();
  const [round, setRound] = useState(0);
  const { confirmed, dialog } = useConfirmed();
  const act = given ? "Change the password" : "Set a password";
  return (
    <section class="card" aria-labelledby="password">
      <h2 id="password">Password</h2>
      <Form
        key={round}
        label={act}
        submit={act}
        busy={given ? "Changing…" : "Setting…"}
        place={(refusal) => PASSWORD_PLACES[refusal.code] ?? null}
        onSubmit={async (values) => {
          const current = given ? (values.current ?? "") : null;
          if (!(await confirmed(() => session.changePassword(current, values.new ?? "")))) return;
          setRound(round + 1);
          onChanged();
          say(`The password is ${given ? "changed" : "set"}. You are signed out everywhere else.`);
        }}
      >
        {(errorAt) => (
          <>
            {given && (
              <Field
                label="Current password"
                name="current"
                autoComplete="current-password"
                secret
                error={errorAt("current")}
              />
            )}
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
      {dialog}
    </section>
  );
}

/** Taking everything along, and deleting the account. */
import { href } from "../page";
import { useConfirmed } from "./confirmed";
import { useShell } from "./context";
import { Field } from "./field";
import { Form } from "./form";

export function AccountLeaving() {
  const { page, session, account } = useShell();
  const { confirmed, dialog } = useConfirmed();
  const name = account?.name ?? "";
  return (
    <>
      <section class="card" aria-labelledby="data">
        <h2 id="data">Your data</h2>
        <p class="dim">
          One zip file with everything that this account has: for each run its config, summary and tags as JSON and its
          whole history as CSV, and the account itself.
        </p>
        <a class="button" href={href(page, "/api/v1/account/export")} download>
          Download all my data
        </a>
      </section>
      <section class="card" aria-labelledby="delete">
        <h2 id="delete">Delete this account</h2>
        <p class="dim">
          Its runs, keys and sessions end at once and cannot be brought back. A program that still logs to it is
          refused. The name can then be taken by somebody else.
        </p>
        <Form
          label="Delete this account"
          submit="Delete the account and all its runs"
          busy="Deleting…"
          danger
          place={() => null}
          check={(values) =>
            (values.name ?? "").trim() === name
              ? null
              : { field: "name", text: `Type ${name} to say that it is this account.` }
          }
          onSubmit={async () => {
            if (await confirmed(() => session.deleteAccount())) location.assign(href(page, "/"));
          }}
        >
          {(errorAt) => (
            <Field label={`Type ${name} to go on`} name="name" autoComplete="off" error={errorAt("name")} />
          )}
        </Form>
        {dialog}
      </section>
    </>
  );
}

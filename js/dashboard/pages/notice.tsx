/** One page for each way in which a run or a claim is not there: what happened, and what to do. */
import type { ComponentChildren } from "preact";
import { fullTime } from "../format";
import type { Refusal } from "../http";
import { href } from "../page";
import { useShell } from "../parts/context";

export interface NoticeProps {
  readonly heading: string;
  readonly children: ComponentChildren;
  readonly actions?: readonly { readonly label: string; readonly path: string }[];
}

export function Notice({ heading, children, actions = [] }: NoticeProps) {
  const { page } = useShell();
  return (
    <article class="notice">
      <h1>{heading}</h1>
      {children}
      {actions.length > 0 && (
        <p class="actions">
          {actions.map((action, i) => (
            <a key={action.path} class={i === 0 ? "button strong" : "button"} href={href(page, action.path)}>
              {action.label}
            </a>
          ))}
        </p>
      )}
    </article>
  );
}

const AGAIN = "Run the notebook or script again and a new run begins, without an account.";

function Expired({ refusal }: { readonly refusal: Refusal }) {
  const at = refusal.expiredAt;
  return (
    <Notice heading="This run has expired" actions={[{ label: "Your other runs", path: "/" }]}>
      <p>
        {at ? (
          <>
            It was anonymous and was kept until <b>{fullTime(at)}</b>. Nobody claimed it, so it was deleted then.
          </>
        ) : (
          "It was anonymous, nobody claimed it in time, and so it was deleted."
        )}{" "}
        It cannot be brought back.
      </p>
      <p>
        {AGAIN} Claim it before its date, and it is kept. Charts that a notebook has saved are still in that notebook.
      </p>
    </Notice>
  );
}

/** Say why a run cannot be shown, or a claim not be made, to someone who came with one of its own secrets. */
export function RefusalNotice({ refusal, claiming }: { readonly refusal: Refusal; readonly claiming: boolean }) {
  switch (refusal.code) {
    case "run_expired":
      return <Expired refusal={refusal} />;
    case "already_claimed":
    case "run_claimed":
      return (
        <Notice
          heading="This run has been claimed"
          actions={[
            { label: "Sign in", path: "/sign-in" },
            { label: "Your runs", path: "/" },
          ]}
        >
          <p>
            It now belongs to an account, and with that every link from before, this one too, has ended. Nothing of it
            is lost.
          </p>
          <p>Was it you? Sign in with that account to see it. Otherwise ask its owner for a share link.</p>
        </Notice>
      );
    case "link_expired":
      return (
        <Notice heading="This link has ended" actions={[{ label: "Your runs", path: "/" }]}>
          <p>
            {refusal.expiredAt ? (
              <>
                It worked until <b>{fullTime(refusal.expiredAt)}</b>, which whoever made it has chosen.
              </>
            ) : (
              "Whoever made it has chosen how long it works."
            )}{" "}
            The run itself may well be there: ask them for a new link.
          </p>
        </Notice>
      );
    case "run_moved":
      return (
        <Notice heading="This run was moved" actions={[{ label: "Your other runs", path: "/" }]}>
          <p>
            Its maker moved it into an account on {refusal.movedTo ? <b>{refusal.movedTo}</b> : "another server"}, and
            with that every link from before, this one too, has ended. Nothing of it is lost.
          </p>
          <p>Was it you? Sign in there to see it. Otherwise ask its owner for a share link.</p>
        </Notice>
      );
    case "run_deleted":
      return (
        <Notice heading="This run was deleted" actions={[{ label: "Your other runs", path: "/" }]}>
          <p>Someone who may do so deleted it before its date. It cannot be brought back.</p>
          <p>{AGAIN}</p>
        </Notice>
      );
    case "unreachable":
    case "page_failed":
    case "unexpected_answer":
      return (
        <Notice heading="The server did not answer as it should">
          <p>{refusal.message}</p>
          <p class="actions">
            <button type="button" class="button strong" onClick={() => location.reload()}>
              Reload the page
            </button>
          </p>
        </Notice>
      );
    default:
      return claiming ? <NothingToClaim /> : <BadLink />;
  }
}

function NothingToClaim() {
  return (
    <Notice heading="There is nothing to claim here" actions={[{ label: "Your runs", path: "/" }]}>
      <p>
        The link has no claim in it, or one that this server does not know, or its ten minutes in this browser are over.
      </p>
      <p>
        Press <b>Claim</b> again, above the charts in the notebook or on the run's page, or run{" "}
        <code>anonrun claim</code> in the terminal. A link that was pasted must be whole, with everything after the{" "}
        <code>#</code>.
      </p>
    </Notice>
  );
}

function BadLink() {
  return (
    <Notice heading="This link does not open" actions={[{ label: "Your runs", path: "/" }]}>
      <p>
        The secret after the <code>#</code> is damaged, was revoked, or belongs to another server.
      </p>
      <p>
        Copy the link again, as a whole, or ask whoever sent it for a new one. From the machine that made the run,{" "}
        <code>anonrun ui</code> opens this dashboard.
      </p>
    </Notice>
  );
}

/**
 * The claim: what is claimed, into which account, and one explicit yes (R10). The secret is exchanged for a pending
 * claim on the server at once, so signing in, signing up or a reload cannot lose it (R17).
 */
import { useEffect, useState } from "preact/hooks";
import { isOfMachine } from "../../charts";
import { counted, exactTime, shortValue } from "../format";
import type { Secrets } from "../fragment";
import { asRefusal, Refusal } from "../http";
import { leaveKept } from "../kept";
import { href } from "../page";
import { AccountForms } from "../parts/account_forms";
import { useShell } from "../parts/context";
import { Loading } from "../parts/loading";
import { Exact } from "../parts/time";
import type { ClaimableRun, PendingClaim, SessionApi } from "../session";
import { Notice, RefusalNotice } from "./notice";

type Stage =
  | { readonly at: "opening" }
  | { readonly at: "refused"; readonly refusal: Refusal }
  | { readonly at: "dropped" }
  /** `again`: the time was over, or another tab had ended it, and it was opened a second time. */
  | { readonly at: "open"; readonly claim: PendingClaim; readonly again: boolean };

const NAMED_METRICS = 6;

async function openClaim(session: SessionApi, secrets: Secrets): Promise<PendingClaim> {
  if (secrets.claim) return session.openClaim({ token: secrets.claim });
  const { pending_claim: pending } = await session.session();
  if (!pending)
    throw new Refusal({ status: 404, code: "claim_not_found", detail: "There is no claim in this browser." });
  return pending;
}

export function ClaimPage({ secrets }: { readonly secrets: Secrets }) {
  const { session, account, setAccount } = useShell();
  const [stage, setStage] = useState<Stage>({ at: "opening" });
  const refuse = (reason: unknown) => setStage({ at: "refused", refusal: asRefusal(reason) });

  useEffect(() => {
    openClaim(session, secrets).then((claim) => setStage({ at: "open", claim, again: false }), refuse);
  }, [session, secrets]);

  /** A claim that is no longer there may be opened again while this page remembers its token; or it says why not. */
  const reopen = (refusal: Refusal) => {
    if (!secrets.claim) return refuse(refusal);
    session.openClaim({ token: secrets.claim }).then((claim) => setStage({ at: "open", claim, again: true }), refuse);
  };

  if (stage.at === "opening") return <Loading what="Looking at what is to be claimed…" />;
  if (stage.at === "refused") return <RefusalNotice refusal={stage.refusal} claiming />;
  if (stage.at === "dropped") {
    return (
      <Notice heading="Nothing was claimed" actions={[{ label: "Your runs", path: "/" }]}>
        <p>The run stays anonymous. Until its date you can press Claim again.</p>
      </Notice>
    );
  }
  const runs = stage.claim.runs;
  const one = runs.length === 1;
  return (
    <article class="claim">
      <h1>{one ? "Claim this run" : `Claim these ${runs.length} runs`}</h1>
      <ul class="claim-runs">
        {runs.map((run) => (
          <ClaimedRun key={run.run_id} run={run} />
        ))}
      </ul>
      {account?.kind === "user" ? (
        <>
          {stage.again && (
            <p class="stale" role="status">
              The ten minutes for this claim were over, so it was opened again. Please confirm once more.
            </p>
          )}
          <Decide
            name={account.name}
            runs={runs}
            onRefused={refuse}
            onLost={reopen}
            onDropped={() => setStage({ at: "dropped" })}
          />
        </>
      ) : (
        <>
          <h2>Which account is to keep {one ? "it" : "them"}?</h2>
          <AccountForms start="sign-up" next="/claim" onDone={setAccount} />
        </>
      )}
    </article>
  );
}

function ClaimedRun({ run }: { readonly run: ClaimableRun }) {
  // The machine's own metrics say little about which run it is.
  const metrics = run.metrics.filter((name) => !isOfMachine(name));
  const shown = metrics.slice(0, NAMED_METRICS);
  const more = metrics.length - shown.length;
  return (
    <li>
      <h2>
        {run.name} <span class={`state ${run.state}`}>{run.state}</span>
      </h2>
      <dl class="facts">
        <dt>Project</dt>
        <dd>{run.project}</dd>
        <dt>Made</dt>
        <dd>
          <Exact at={run.created_at} />
        </dd>
        <dt>Holds</dt>
        <dd>{counted(run.points, "point")}</dd>
        <dt>Metrics</dt>
        <dd>
          {shown.length === 0 && "none yet"}
          {shown.map((name) => (
            <span key={name} class="chip">
              {name} <b>{shortValue(run.summary[name])}</b>
            </span>
          ))}
          {more > 0 && <span class="chip dim">and {more} more</span>}
        </dd>
        {run.expires_at && (
          <>
            <dt>If unclaimed</dt>
            <dd>kept until {exactTime(run.expires_at)}, then deleted</dd>
          </>
        )}
      </dl>
    </li>
  );
}

interface DecideProps {
  readonly name: string;
  readonly runs: readonly ClaimableRun[];
  readonly onRefused: (reason: unknown) => void;
  readonly onLost: (refusal: Refusal) => void;
  readonly onDropped: () => void;
}

function Decide({ name, runs, onRefused, onLost, onDropped }: DecideProps) {
  const { page, session, setAccount } = useShell();
  const [away, setAway] = useState(false);
  const [other, setOther] = useState(false);
  const what = runs.length === 1 ? "this run" : `these ${runs.length} runs`;

  const keep = async () => {
    setAway(true);
    try {
      const { runs: kept } = await session.claim();
      tellNotebooks(kept.map((run) => run.run_id));
      leaveKept(sessionStorage, { runIds: kept.map((run) => run.run_id), account: name });
      const only = kept.length === 1 ? kept[0] : undefined;
      location.replace(href(page, only ? only.url_path : "/"));
    } catch (reason) {
      const refusal = asRefusal(reason);
      setAway(false);
      if (refusal.code === "sign_in_needed") setAccount(null);
      else if (refusal.code === "claim_not_found") onLost(refusal);
      else onRefused(refusal);
    }
  };
  const drop = () => session.dropClaim().then(onDropped, onRefused);

  if (other) {
    return (
      <>
        <h2>Use another account than {name}</h2>
        <AccountForms
          start="sign-in"
          next="/claim"
          onDone={(account) => {
            setAccount(account);
            setOther(false);
          }}
        />
      </>
    );
  }
  return (
    <section class="decide" aria-label="Decide">
      <p>
        {runs.length === 1 ? "It moves" : "They move"} to your account and {runs.length === 1 ? "is" : "are"} no longer
        deleted. Addresses stay as they are, a notebook that is still running goes on, and links that others may have to{" "}
        {what} end.
      </p>
      <p class="actions">
        <button type="button" class="button strong" disabled={away} onClick={keep}>
          {away ? (
            "Keeping…"
          ) : (
            <>
              Keep {what} in <b>{name}</b>
            </>
          )}
        </button>
        <button type="button" class="quiet" disabled={away} onClick={() => setOther(true)}>
          Not {name}?
        </button>
        <button type="button" class="quiet" disabled={away} onClick={drop}>
          Don't claim
        </button>
      </p>
    </section>
  );
}

/** Other pages of this origin, such as a notebook behind the same proxy, take their banner away at once. */
function tellNotebooks(runIds: readonly string[]): void {
  const channel = new BroadcastChannel("anonrun");
  for (const runId of runIds) channel.postMessage({ run_id: runId, claimed: true });
  channel.close();
}

/** What an anonymous run's reader must know first: until when it is kept, and how to keep it. */
import { useState } from "preact/hooks";
import type { RunInfo } from "../../api";
import { formatCountdown } from "../../charts/format";
import { keepingOf } from "../../status";
import { asRefusal } from "../http";
import { href } from "../page";
import { useShell } from "./context";
import { Exact } from "./time";

export interface BannerProps {
  readonly run: RunInfo;
  /** By the server's clock. */
  readonly nowMs: number;
  readonly onShare: () => void;
  readonly onDelete: () => void;
}

export function Banner({ run, nowMs, onShare, onDelete }: BannerProps) {
  const { page, session, say } = useShell();
  const [away, setAway] = useState(false);
  const keeping = keepingOf(run, null, nowMs, false);
  if (keeping.kind === "expired" && run.expires_at) {
    return (
      <section class="anr-banner" data-tone="expired" aria-label="Anonymous run">
        <p>
          <b>Expired</b> on <b>{<Exact at={run.expires_at} />}</b>: the run is gone from this server. What you see is in
          this page only.
        </p>
      </section>
    );
  }
  if (keeping.kind !== "until" || !run.expires_at) return null;
  const { claim, share, delete: mayDelete } = run.permissions;

  const openClaim = async () => {
    setAway(true);
    try {
      await session.openClaim({ run_id: run.run_id });
      location.assign(href(page, "/claim"));
    } catch (reason) {
      say(asRefusal(reason).message);
      setAway(false);
    }
  };
  return (
    <section class="anr-banner" data-tone={keeping.urgency} aria-label="Anonymous run">
      <p>
        <b>Anonymous run.</b> Kept until <b>{<Exact at={run.expires_at} />}</b>{" "}
        <span class="num">({formatCountdown(keeping.leftS)})</span>, then deleted
        {claim ? ". No account needed to keep watching." : " unless its maker claims it."}
        {claim && (
          <span class="sensitive">
            {" "}
            Its private link is sensitive: whoever has it can view <em>and claim</em> this run, so give it only to
            people you trust.{share && " For everyone else, share a link that can only view."}
          </span>
        )}
      </p>
      <div class="actions">
        {share && (
          <button type="button" class="quiet" onClick={onShare}>
            Share
          </button>
        )}
        {mayDelete && (
          <button type="button" class="quiet" onClick={onDelete}>
            Delete now
          </button>
        )}
        {claim && (
          <button type="button" class="button strong" disabled={away} onClick={openClaim}>
            {away ? "Opening…" : "Claim this run"}
          </button>
        )}
      </div>
    </section>
  );
}

/** Says first of all until when the run is kept, and what can be done about it. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../api";
import { fileName, formatCountdown, formatInstant, save as saveFile, zoneName } from "../charts";
import { type Keeping, keepingOf } from "../status";
import type { RunView, ViewState } from "./run_view";
import { SecretLink } from "./secret_link";

function When({ at }: { at: Date }) {
  return (
    <time
      class="anr-num"
      dateTime={at.toISOString()}
      title={`${at.toISOString()}, shown in your time zone, ${zoneName(at)}`}
    >
      <b>{formatInstant(at)}</b>
    </time>
  );
}

function Words({ keeping, state }: { keeping: Keeping; state: ViewState }) {
  const { temporary, server } = state.run;
  switch (keeping.kind) {
    case "claimed":
      return (
        <>
          <b>Kept{keeping.account && ` in ${keeping.account}`}.</b> This run is claimed and has no end date.
        </>
      );
    case "account":
      return (
        <>
          <b>Kept in {keeping.account ? keeping.account : "your account"}.</b> This notebook is signed in, so the run
          has no end date.
        </>
      );
    case "moved":
      return (
        <>
          <b>Moved{keeping.to && ` to ${keeping.to}`}.</b> This run is kept in an account there.
        </>
      );
    case "deleted":
      return (
        <>
          <b>Deleted.</b> The run is gone from its server. What you see is in this page only.
        </>
      );
    case "expired":
      return (
        <>
          <b>Expired</b>
          {keeping.at && (
            <>
              {" "}
              on <When at={keeping.at} />
            </>
          )}
          : the run is gone from its server. What you see is in this page only.
        </>
      );
    case "until":
      return (
        <>
          <b>Anonymous run.</b> Kept until <When at={keeping.at} />{" "}
          <span class="anr-num anr-left">({formatCountdown(roughly(keeping.leftS))})</span>, then deleted.
          {temporary && server?.embedded && ` It is on this ${temporary} machine, which may be gone sooner.`}
        </>
      );
    default:
      return (
        <>
          <b>Anonymous run.</b> Kept for a limited time unless you claim it. The server has not told the date yet.
        </>
      );
  }
}

/** Seconds only matter in the last hour. */
function roughly(leftS: number): number {
  return leftS < 3600 ? leftS : leftS - (leftS % 60);
}

function Download({ view, state }: { view: RunView; state: ViewState }) {
  const menu = useRef<HTMLDetailsElement>(null);
  const [trouble, setTrouble] = useState("");
  const save = async (format: "csv" | "json" | "html") => {
    if (menu.current) menu.current.open = false;
    setTrouble("");
    try {
      const file = format === "html" ? await view.htmlFile() : await view.download(format);
      if (file instanceof Blob) saveFile(file, fileName(state.run.name, format));
      else setTrouble(file.detail);
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <details
      class="anr-menu"
      ref={menu}
      onFocusOut={(event) => {
        if (menu.current && !menu.current.contains(event.relatedTarget as Node | null)) menu.current.open = false;
      }}
    >
      <summary class="anr-quiet" title={trouble || "Every point, as a file"}>
        Download
      </summary>
      <div>
        <button type="button" onClick={() => save("csv")}>
          CSV, one row a log call
        </button>
        <button type="button" onClick={() => save("json")}>
          JSON, with config and summary
        </button>
        <button type="button" onClick={() => save("html")}>
          HTML, with charts to work with
        </button>
      </div>
      {trouble && (
        <p class="anr-alarm" role="alert">
          Not saved: {trouble}
        </p>
      )}
    </details>
  );
}

/** Copies; where the browser forbids that, shows the link to copy by hand. */
function CopyLink({ view, state }: { view: RunView; state: ViewState }) {
  const [shown, setShown] = useState<"nothing" | "copied" | "field">("nothing");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (shown === "copied") {
      const timer = setTimeout(() => setShown("nothing"), 2_500);
      return () => clearTimeout(timer);
    }
    if (shown === "field" && field.current) {
      field.current.value = view.viewLink() ?? "";
      field.current.select();
    }
  }, [shown, view]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(view.viewLink() ?? "");
      setShown("copied");
    } catch {
      setShown("field");
    }
  };
  if (shown === "field") {
    return (
      <span class="anr-copy">
        <input ref={field} type="text" readOnly aria-label="View link, to copy" size={26} />
        <button type="button" class="anr-quiet" onClick={() => setShown("nothing")}>
          Done
        </button>
      </span>
    );
  }
  const disabled = !state.has.view || !state.server;
  const where = state.run.server?.embedded ? " It opens on the machine that runs the server." : "";
  return (
    <button
      type="button"
      class="anr-quiet"
      disabled={disabled}
      title={
        disabled ? "The link has not arrived from the kernel yet" : `Whoever has this link can view the run.${where}`
      }
      onClick={copy}
      aria-live="polite"
    >
      {shown === "copied" ? "Copied ✓" : "Copy view link"}
    </button>
  );
}

/** On a machine that is itself temporary: how the run gets to one that is not. No browser can carry it there. */
function Send() {
  return (
    <details class="anr-menu anr-send">
      <summary class="anr-quiet" title="Keep the run in your account on a server that stays">
        Send to a server
      </summary>
      <div>
        When the run is over, run this in a cell, with the address of your server:
        <code>%anonrun claim --to https://runs.example.org</code>
        It moves the run into your account there, and says how to log in.
      </div>
    </details>
  );
}

type Deleting = "no" | "asking" | "working" | Problem;

function Delete({ view }: { view: RunView }) {
  const [deleting, setDeleting] = useState<Deleting>("no");
  const remove = async () => {
    setDeleting("working");
    setDeleting((await view.delete()) ?? "no");
  };
  if (deleting === "no") {
    return (
      <button type="button" class="anr-quiet" onClick={() => setDeleting("asking")}>
        Delete now
      </button>
    );
  }
  if (deleting === "asking" || deleting === "working") {
    return (
      <span class="anr-confirm" role="alertdialog" aria-label="Delete this run?">
        Delete for good?
        <button type="button" class="anr-quiet anr-alarm" disabled={deleting === "working"} onClick={remove}>
          {deleting === "working" ? "Deleting…" : "Delete"}
        </button>
        <button type="button" class="anr-quiet" disabled={deleting === "working"} onClick={() => setDeleting("no")}>
          Keep
        </button>
      </span>
    );
  }
  return (
    <span class="anr-confirm" role="alert">
      <span class="anr-alarm" title={deleting.detail}>
        Not deleted: {deleting.code === "unreachable" ? "no server in reach from here." : deleting.title}
      </span>
      <SecretLink class="anr-quiet" address={() => view.viewLink()}>
        Try on its page ↗
      </SecretLink>
      <button type="button" class="anr-quiet" onClick={() => setDeleting("no")}>
        Close
      </button>
    </span>
  );
}

export function Banner({ view, state, now }: { view: RunView; state: ViewState; now: number }) {
  const keeping = keepingOf(state.run, state.gone, now, state.wasAnonymous);
  const anonymous = keeping.kind === "until" || keeping.kind === "unconfirmed";
  const tone = keeping.kind === "until" ? keeping.urgency : keeping.kind === "moved" ? "claimed" : keeping.kind;
  const missing = state.server
    ? "The claim key has not arrived from the kernel yet"
    : "The server has not been reached yet; the run is being recorded meanwhile";
  return (
    <div class="anr-banner" data-tone={tone} role="status" aria-live="off">
      <p>
        <Words keeping={keeping} state={state} />
      </p>
      <div class="anr-actions">
        <Download view={view} state={state} />
        {anonymous && state.run.temporary && state.run.server?.embedded && <Send />}
        {anonymous && <CopyLink view={view} state={state} />}
        {anonymous && <Delete view={view} />}
        {anonymous && (
          <SecretLink
            class="anr-button"
            address={() => view.claimLink()}
            disabled={state.has.claim && state.server ? undefined : missing}
            title="Sign in or sign up, then this run is yours and is kept"
            onUse={() => view.expectClaim()}
          >
            Claim this run ↗
          </SecretLink>
        )}
      </div>
    </div>
  );
}

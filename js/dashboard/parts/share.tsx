/** View links of one run: make, copy, show everything, revoke. The token is made here and the server learns its hash only. */

import { useCallback, useState } from "preact/hooks";
import type { LinkInfo, RunInfo } from "../../api";
import { href } from "../page";
import { sha256Hex } from "../sha256";
import { mintShareToken } from "../tokens";
import { useShell } from "./context";
import { CopyText } from "./copy";
import { Confirm } from "./dialog";
import { Field } from "./field";
import { Form } from "./form";
import { type Column, Listing, useListing } from "./listing";
import { Publication } from "./publication";
import { Ago, Exact } from "./time";

interface Made {
  readonly url: string;
  readonly label: string;
}

interface Change {
  readonly act: "revoke" | "show";
  readonly link: LinkInfo;
}

export interface ShareProps {
  readonly run: RunInfo;
  readonly metrics: readonly string[];
  readonly onChange: (run: RunInfo) => void;
}

const DAY_S = 86_400;
const SPANS: readonly (readonly [string, number | null])[] = [
  ["as long as the run", null],
  ["a day", DAY_S],
  ["a week", 7 * DAY_S],
  ["a month", 30 * DAY_S],
  ["six months", 182 * DAY_S],
];

export function Share({ run, metrics, onChange }: ShareProps) {
  const { page, send } = useShell();
  const [made, setMade] = useState<Made | null>(null);
  const [change, setChange] = useState<Change | null>(null);
  const path = `runs/${run.run_id}/links`;
  const isPublic = run.published_at !== null;

  const listed = useListing(useCallback(() => send<readonly LinkInfo[]>("GET", path), [send, path]));

  const make = async (values: Readonly<Record<string, string>>) => {
    const label = (values.label ?? "").trim();
    const token = mintShareToken();
    await send<LinkInfo>("POST", path, {
      token_hash: sha256Hex(token),
      label: label || null,
      blind: values.blind === "on",
      expires_in_s: Number(values.span) || null,
    });
    setMade({ url: `${location.origin}${href(page, run.url_path)}#s=${token}`, label });
    listed.load();
  };
  return (
    <>
      <section class="share" aria-labelledby="links">
        <h2 id="links">By a link</h2>
        <p class="dim">
          Whoever has a share link can watch this run and download it, and nothing else: not claim, change or delete it.
          {run.anonymous && " A claim ends the links that were made before it."}
        </p>
        {made && (
          <CopyText
            label={made.label ? `Link “${made.label}”, shown this once` : "The link, shown this once"}
            text={made.url}
          />
        )}
        <Form label="Make a share link" submit="Make a share link" busy="Making…" place={() => null} onSubmit={make}>
          {() => (
            <>
              <Field label="For whom (optional)" name="label" autoComplete="off" maxLength={100} optional />
              <p class="field">
                <label for="link-span">Works for</label>
                <select id="link-span" name="span">
                  {SPANS.map(([words, seconds]) => (
                    <option key={words} value={seconds ?? ""}>
                      {words}
                    </option>
                  ))}
                </select>
              </p>
              <label class="check">
                <input type="checkbox" name="blind" disabled={isPublic} />
                <span>
                  Blind, for double-blind review: hides account, project, names, tags and notes, and what in config and
                  summary may point at a person, a path or a machine. Numbers and names of metrics show.
                  {isPublic && " Not while the run is published."}
                </span>
              </label>
            </>
          )}
        </Form>
        <Listing
          label="Share links"
          listed={listed}
          loading="Reading the links…"
          empty="Nobody has a link yet."
          keyOf={(link) => link.link_id}
          columns={COLUMNS}
          acts={[
            {
              label: "Show everything",
              named: ({ label }) => `Show everything by the link ${label ?? ""}`,
              act: (link) => setChange({ act: "show", link }),
              unless: ({ blind }) => !blind,
            },
            {
              label: "Revoke",
              named: ({ label }) => `Revoke the link ${label ?? ""}`,
              act: (link) => setChange({ act: "revoke", link }),
            },
          ]}
        />
      </section>
      {run.permissions.publish && <Publication run={run} metrics={metrics} onChange={onChange} />}
      {change?.act === "revoke" && (
        <Confirm
          title={`Revoke the link${change.link.label ? ` “${change.link.label}”` : ""}?`}
          act="Revoke"
          busy="Revoking…"
          onAct={async () => {
            await send<void>("DELETE", `${path}/${encodeURIComponent(change.link.link_id)}`);
            listed.load();
          }}
          onClose={() => setChange(null)}
        >
          <p>Whoever has it can no longer open this run, also where it was open before.</p>
        </Confirm>
      )}
      {change?.act === "show" && (
        <Confirm
          title={`Show everything by the link${change.link.label ? ` “${change.link.label}”` : ""}?`}
          act="Show everything"
          busy="Opening…"
          onAct={async () => {
            await send<LinkInfo>("PATCH", `${path}/${encodeURIComponent(change.link.link_id)}`, { blind: false });
            listed.load();
          }}
          onClose={() => setChange(null)}
        >
          <p>
            Its address stays. Whoever has it then sees whose run this is, with its names, tags and notes: for after the
            review.
          </p>
        </Confirm>
      )}
    </>
  );
}

const COLUMNS: readonly Column<LinkInfo>[] = [
  { head: "for", of: ({ label }) => label ?? "–" },
  { head: "shows", of: ({ blind }) => (blind ? "blind" : "everything") },
  { head: "made", of: ({ created_at }, nowMs) => <Ago at={created_at} nowMs={nowMs} /> },
  {
    head: "used",
    of: ({ last_used_at }, nowMs) => (last_used_at ? <Ago at={last_used_at} nowMs={nowMs} /> : "never"),
  },
  {
    head: "works until",
    of: ({ expires_at }) => (expires_at ? <Exact at={expires_at} /> : "as long as the run"),
  },
];

/** View links of one run: make, copy, revoke. The token is made here and the server learns its hash only. */

import { useCallback, useEffect, useState } from "preact/hooks";
import type { LinkInfo, RunInfo } from "../../api";
import { asRefusal, type Refusal } from "../http";
import { href } from "../page";
import { sha256Hex } from "../sha256";
import { mintShareToken } from "../tokens";
import { useShell } from "./context";
import { CopyText } from "./copy";
import { Confirm } from "./dialog";
import { Field } from "./field";
import { Form } from "./form";
import { Failed, Loading } from "./loading";
import { Scroll } from "./scroll";
import { Ago, Exact, useNow } from "./time";

interface Made {
  readonly url: string;
  readonly label: string;
}

export function Share({ run }: { readonly run: RunInfo }) {
  const { page, send } = useShell();
  const [links, setLinks] = useState<readonly LinkInfo[] | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [made, setMade] = useState<Made | null>(null);
  const [doomed, setDoomed] = useState<LinkInfo | null>(null);
  const path = `runs/${run.run_id}/links`;

  const load = useCallback(() => {
    setRefusal(null);
    send<readonly LinkInfo[]>("GET", path).then(setLinks, (reason) => setRefusal(asRefusal(reason)));
  }, [send, path]);
  useEffect(load, [load]);

  const make = async (values: Readonly<Record<string, string>>) => {
    const label = (values.label ?? "").trim();
    const token = mintShareToken();
    await send<LinkInfo>("POST", path, {
      token_hash: sha256Hex(token),
      label: label || null,
      blind: values.blind === "on",
    });
    setMade({ url: `${location.origin}${href(page, run.url_path)}#s=${token}`, label });
    load();
  };
  return (
    <section class="share">
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
            <label class="check">
              <input type="checkbox" name="blind" />
              <span>
                Blind, for double-blind review: hides account, project, names, tags and notes. Config and metrics show.
              </span>
            </label>
          </>
        )}
      </Form>
      {refusal && <Failed refusal={refusal} onRetry={load} />}
      {!links && !refusal && <Loading what="Reading the links…" />}
      {links?.length === 0 && <p class="dim">Nobody has a link yet.</p>}
      {links && links.length > 0 && <Links links={links} onRevoke={setDoomed} />}
      {doomed && (
        <Confirm
          title={`Revoke the link${doomed.label ? ` “${doomed.label}”` : ""}?`}
          act="Revoke"
          busy="Revoking…"
          onAct={async () => {
            await send<void>("DELETE", `${path}/${encodeURIComponent(doomed.link_id)}`);
            load();
          }}
          onClose={() => setDoomed(null)}
        >
          <p>Whoever has it can no longer open this run, also where it was open before.</p>
        </Confirm>
      )}
    </section>
  );
}

interface LinksProps {
  readonly links: readonly LinkInfo[];
  readonly onRevoke: (link: LinkInfo) => void;
}

function Links({ links, onRevoke }: LinksProps) {
  const nowMs = useNow(60_000);
  return (
    <Scroll label="Share links">
      <table>
        <thead>
          <tr>
            <th scope="col">for</th>
            <th scope="col">shows</th>
            <th scope="col">made</th>
            <th scope="col">works until</th>
            <th scope="col">
              <span class="unseen">actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {links.map((link) => (
            <tr key={link.link_id}>
              <th scope="row">{link.label ?? "–"}</th>
              <td>{link.blind ? "blind" : "everything"}</td>
              <td>
                <Ago at={link.created_at} nowMs={nowMs} />
              </td>
              <td>{link.expires_at ? <Exact at={link.expires_at} /> : "as long as the run"}</td>
              <td class="number">
                <button
                  type="button"
                  class="quiet"
                  onClick={() => onRevoke(link)}
                  aria-label={`Revoke the link ${link.label ?? ""}`}
                >
                  Revoke
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

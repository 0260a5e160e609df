/** Whether anybody may read this run, and what other sites may show of it. */

import { useState } from "preact/hooks";
import type { RunInfo } from "../../api";
import { isOfMachine } from "../../charts";
import { asRefusal } from "../http";
import { href } from "../page";
import { useShell } from "./context";
import { CopyText } from "./copy";
import { Confirm } from "./dialog";
import { Exact } from "./time";

export interface PublicationProps {
  readonly run: RunInfo;
  readonly metrics: readonly string[];
  readonly onChange: (run: RunInfo) => void;
}

export function Publication({ run, metrics, onChange }: PublicationProps) {
  const { page, send } = useShell();
  const [asking, setAsking] = useState<"publish" | "unpublish" | null>(null);
  const [error, setError] = useState<string | null>(null);
  const path = `runs/${run.run_id}/publication`;
  const publish = async (embed: boolean) => onChange(await send<RunInfo>("PUT", path, { embed }));
  const setEmbed = async (embed: boolean) => {
    setError(null);
    try {
      await publish(embed);
    } catch (reason) {
      setError(asRefusal(reason).message);
    }
  };
  return (
    <section class="share" aria-labelledby="publication">
      <h2 id="publication">For everybody</h2>
      {run.published_at ? (
        <>
          <p>
            Published since <Exact at={run.published_at} />: anybody who has its address can read this run, without an
            account. Search engines are asked to leave it out.
          </p>
          <CopyText label="Address" text={`${location.origin}${href(page, run.url_path)}`} />
          <label class="check">
            <input type="checkbox" checked={run.embed} onChange={(event) => setEmbed(event.currentTarget.checked)} />
            <span>Let other sites show one of its charts in a frame.</span>
          </label>
          <OnOtherSites run={run} metrics={metrics} />
          <p class="actions">
            <button type="button" class="button" onClick={() => setAsking("unpublish")}>
              Take it back
            </button>
          </p>
        </>
      ) : (
        <>
          <p class="dim">
            Publish this one run, and anybody who has its address can read all of it: its name, your account's and its
            project's, config, notes and every point. Your other runs stay as they are.
          </p>
          <p class="actions">
            <button type="button" class="button" onClick={() => setAsking("publish")}>
              Publish this run
            </button>
          </p>
        </>
      )}
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {asking === "publish" && (
        <Confirm
          title={`Publish ${run.name}?`}
          act="Publish"
          busy="Publishing…"
          onAct={() => publish(false)}
          onClose={() => setAsking(null)}
        >
          <p>
            Anybody can read it then, as <b>{[run.account, run.project, run.id].join(" / ")}</b>. You can take it back
            at any time, though not what others have copied meanwhile.
          </p>
        </Confirm>
      )}
      {asking === "unpublish" && (
        <Confirm
          title={`Take ${run.name} back?`}
          act="Take it back"
          busy="Taking it back…"
          onAct={async () => {
            await send<void>("DELETE", path);
            onChange({ ...run, published_at: null, embed: false });
          }}
          onClose={() => setAsking(null)}
        >
          <p>
            Its page, chart and badge end for everybody but you and those who have a link. A badge may be kept by caches
            for five minutes more.
          </p>
        </Confirm>
      )}
    </section>
  );
}

/** What to write into a page or a README. */
function OnOtherSites({ run, metrics }: Pick<PublicationProps, "run" | "metrics">) {
  const { page } = useShell();
  const [metric, setMetric] = useState(metrics.find((name) => !isOfMachine(name)) ?? metrics[0] ?? "");
  const at = (what: string) => `${location.origin}${href(page, what)}`;
  const query = metric && `?metric=${encodeURIComponent(metric)}`;
  const frame = `<iframe src="${at(`embed/${run.run_id}`)}${query}" width="640" height="360" loading="lazy" title="Chart of a run" style="border:0;max-width:100%"></iframe>`;
  const badge = `[![${(metric || "run").replace(/[[\]\\]/g, " ")}](${at(`badge/${run.run_id}.svg`)}${query})](${at(run.url_path)})`;
  return (
    <>
      {metrics.length > 0 && (
        <p class="field">
          <label for="shown-metric">Metric</label>
          <select id="shown-metric" value={metric} onChange={(event) => setMetric(event.currentTarget.value)}>
            {metrics.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </p>
      )}
      {run.embed && <CopyText label="Chart, for a web page" text={frame} />}
      <CopyText label="Badge, for a README" text={badge} />
    </>
  );
}

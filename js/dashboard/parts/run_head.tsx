/** A run in one line: name, state, how long and how far; and what can be taken along. */
import { useState } from "preact/hooks";
import type { RunInfo } from "../../api";
import { fileName, save } from "../../charts";
import type { History } from "../../charts/history";
import { ProgressBar, useStanding } from "../../status";
import { counted, fullTime } from "../format";
import { href } from "../page";
import { htmlFileOf } from "../save_run";
import { useShell } from "./context";

export interface RunHeadProps {
  readonly run: RunInfo;
  readonly history: History;
  /** By the server's clock. */
  readonly nowMs: number;
  readonly onDelete: () => void;
}

export function RunHead({ run, history, nowMs, onDelete }: RunHeadProps) {
  const { page, client, say } = useShell();
  const [saving, setSaving] = useState(false);
  const { facts, share, reason } = useStanding(run, history, nowMs);
  const words = [...facts, counted(Math.max(history.points, run.points), "point")].join(" · ");
  const download = (format: string) => href(page, `/api/v1/runs/${run.run_id}/export?format=${format}`);
  const saveHtml = async () => {
    setSaving(true);
    try {
      save(await htmlFileOf(client, run, href(page, "/static/file.txt")), fileName(run.name, "html"));
    } catch (reason) {
      say(`Not saved: ${reason instanceof Error ? reason.message : reason}`);
    }
    setSaving(false);
  };
  return (
    <header class="run-head">
      <h1>{run.name}</h1>
      <span class={`state ${run.state}`} role="status">
        {run.state}
      </span>
      <span class="dim num" title={`Made ${fullTime(run.created_at)}`}>
        {words}
      </span>
      <span class="grow" />
      <div class="actions">
        <span class="dim">Download</span>
        <a class="quiet" href={download("csv")} download>
          CSV
        </a>
        <a class="quiet" href={download("json")} download>
          JSON
        </a>
        <button
          type="button"
          class="quiet"
          disabled={saving}
          title="Charts to work with, in one file"
          onClick={saveHtml}
        >
          {saving ? "Making it…" : "HTML"}
        </button>
        {!run.anonymous && run.permissions.delete && (
          <button type="button" class="quiet" onClick={onDelete}>
            Delete
          </button>
        )}
      </div>
      {share && <ProgressBar share={share} state={run.state} words={words} />}
      {reason && (
        <p class="reason" role="status">
          {reason}
        </p>
      )}
      <p class="dim where">
        {[run.account, run.project, run.id].filter(Boolean).join(" / ")}
        {run.tags.map((tag) => (
          <span key={tag} class="tag">
            {tag}
          </span>
        ))}
      </p>
      {run.notes && <p class="notes">{run.notes}</p>}
    </header>
  );
}

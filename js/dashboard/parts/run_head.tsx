/** A run in one line: name, state, how long and how far; and what can be taken along. */
import type { RunInfo } from "../../api";
import { formatClock } from "../../charts/format";
import type { History } from "../../charts/history";
import { counted, fullTime } from "../format";
import { href } from "../page";
import { useShell } from "./context";

export interface RunHeadProps {
  readonly run: RunInfo;
  readonly history: History;
  /** By the server's clock. */
  readonly nowMs: number;
  readonly onDelete: () => void;
}

/** The largest of the steps that the metrics stand at; null where nothing was logged. */
function lastStep(history: History): number | null {
  const steps = [...history.series.values()].flatMap(({ last }) => (last ? [last.step] : []));
  return steps.length ? Math.max(...steps) : null;
}

export function RunHead({ run, history, nowMs, onDelete }: RunHeadProps) {
  const { page } = useShell();
  const step = lastStep(history);
  const endMs = Date.parse(run.finished_at ?? (run.state === "crashed" ? run.heartbeat_at : null) ?? "") || nowMs;
  const facts = [
    formatClock((endMs - Date.parse(run.created_at)) / 1000),
    ...(step === null ? [] : [`step ${step}`]),
    counted(Math.max(history.points, run.points), "point"),
  ];
  const download = (format: string) => href(page, `/api/v1/runs/${run.run_id}/export?format=${format}`);
  return (
    <header class="run-head">
      <h1>{run.name}</h1>
      <span class={`state ${run.state}`}>{run.state}</span>
      <span class="dim num" title={`Made ${fullTime(run.created_at)}`}>
        {facts.join(" · ")}
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
        {!run.anonymous && run.permissions.delete && (
          <button type="button" class="quiet" onClick={onDelete}>
            Delete
          </button>
        )}
      </div>
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

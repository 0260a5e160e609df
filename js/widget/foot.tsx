/** One line that says where the points are, and leads to the run's page. */

import { formatInstant } from "../charts";
import type { RunView, ViewState } from "./run_view";
import { SecretLink } from "./secret_link";

function count(rows: number): string {
  return `${rows} ${rows === 1 ? "row" : "rows"}`;
}

/** What is to be said of the way of the points, and whether it is bad news. */
export function newsOf(state: ViewState): { text: string; bad: boolean } {
  const { source, status, heardAt, gone } = state;
  if (gone && gone.why !== "claimed") return { text: "what you see is in this page's memory", bad: false };
  if (source === "server") return { text: "the kernel is silent; shown from the server", bad: false };
  if (source === "nobody") {
    const when = formatInstant(new Date(heardAt));
    return { text: `neither kernel nor server answer; shown as of ${when}`, bad: true };
  }
  const waiting = status.unsent_rows ?? 0;
  if (status.trouble) {
    const backlog = waiting > 0 ? ` ${count(waiting)} waiting to be sent.` : "";
    return { text: status.trouble + backlog, bad: true };
  }
  if (waiting) return { text: `${count(waiting)} waiting to be sent, kept on disk meanwhile`, bad: false };
  if (status.rows === undefined) return { text: "waiting for the first point…", bad: false };
  const where = state.run.server?.embedded ? " on this machine" : "";
  return { text: `all ${count(status.rows)} saved${where}, 0 waiting to be sent`, bad: false };
}

export function Foot({ view, state }: { view: RunView; state: ViewState }) {
  const news = newsOf(state);
  return (
    <footer class="anr-foot">
      <span class={news.bad ? "anr-alarm anr-num" : "anr-num"} role={news.bad ? "alert" : undefined}>
        {news.text}
      </span>
      {state.server && !(state.gone && state.gone.why !== "claimed") && (
        <SecretLink class="anr-quiet" address={() => view.viewLink()} title="The run's own page">
          Open in dashboard ↗
        </SecretLink>
      )}
    </footer>
  );
}

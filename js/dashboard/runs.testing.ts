/** Runs for tests. */
import type { RunInfo } from "../api";

export function run(name: string, more: Partial<RunInfo> = {}): RunInfo {
  return {
    ...{ run_id: name, account: "a", project: "digits", id: name, name, state: "finished", anonymous: true },
    ...{ created_at: "2026-11-24T00:00:00Z", server_time: "2026-11-24T00:00:00Z", url_path: `r/${name}` },
    ...{ expires_at: null, heartbeat_at: null, finished_at: null, exit_code: null, config: {}, summary: {} },
    ...{ tags: [], notes: null, group: null, job_type: null, points: 0, media: 0, max_step: null },
    ...{ published_at: null, embed: false, total: null, error: null },
    ...{ permissions: { write: false, delete: false, claim: false, share: false, publish: false, files: false } },
    ...more,
  };
}

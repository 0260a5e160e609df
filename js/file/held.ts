/** What a file holds of its run. Pure but for unpacking; `anonrun.notebook.html_file` writes it. */

import { decodeSegments, type Frame, type RunInfo } from "../api";

export interface Held {
  readonly run: Pick<RunInfo, "run_id" | "project" | "id" | "name" | "state" | "anonymous" | "created_at"> &
    Partial<
      Pick<
        RunInfo,
        | "finished_at"
        | "heartbeat_at"
        | "exit_code"
        | "error"
        | "total"
        | "config"
        | "summary"
        | "tags"
        | "notes"
        | "group"
        | "job_type"
      >
    >;
  /** When the file was made, RFC 3339. */
  readonly saved_at: string;
  /** Points of the run, and those of them that are here. */
  readonly points: number;
  readonly held_points: number;
  /** Segments back to back, base64. */
  readonly segments: string;
}

export function heldIn(document: Document): Held {
  return JSON.parse(document.getElementById("held")?.textContent ?? "") as Held;
}

export async function framesOf({ segments }: Held): Promise<readonly Frame[]> {
  const bytes = Uint8Array.from(atob(segments), (letter) => letter.charCodeAt(0));
  return (await decodeSegments(bytes)).flatMap(({ frames }) => frames);
}

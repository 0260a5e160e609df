/** Saves a run from its page as one HTML file. */
import type { Client, RunInfo } from "../api";
import { fileOf, MOST_POINTS } from "../file/write";

/** Return the file; rejects with the reason where there is none. `page` is the address of the built page it is made of. */
export async function htmlFileOf(client: Client, run: RunInfo, page: string): Promise<Blob> {
  if (run.points > MOST_POINTS) {
    throw new Error(
      `the run has ${run.points} points, and a page saves at most ${MOST_POINTS} in one file. ` +
        `“anonrun export ${run.id} -o run.html” writes one that has each stretch's smallest and largest.`,
    );
  }
  const [empty, told, all] = await Promise.all([fetch(page), client.run(run.run_id), client.series(run.run_id)]);
  if (!empty.ok) throw new Error(`the server has no page to make it of (${empty.status}).`);
  if (!told.ok) throw new Error(told.problem.detail);
  if (!all.ok) throw new Error(all.problem.detail);
  const frames = all.value.flatMap((segment) => segment.frames);
  return fileOf(await empty.text(), told.value, frames, new Date(Date.parse(told.value.server_time)), document);
}

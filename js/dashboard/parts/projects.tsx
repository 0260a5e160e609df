/** The projects of the runs that are listed: how many runs each has, and when one was heard of. */
import { useEffect, useState } from "preact/hooks";
import type { ProjectList } from "../../api";
import { counted } from "../format";
import { href } from "../page";
import { useShell } from "./context";
import { Ago, useNow } from "./time";

const FIRST = 6;
const REFRESH_MS = 15_000;
/** Until so long after its last sign of life, a run is taken to be alive. */
const SILENT_MS = 60_000;

export function Projects() {
  const { page, client } = useShell();
  const [list, setList] = useState<ProjectList | null>(null);
  const [all, setAll] = useState(false);
  const nowMs = useNow(10_000);
  useEffect(() => {
    const gone = new AbortController();
    const load = async () => {
      if (document.visibilityState !== "visible") return;
      const answer = await client.request<ProjectList>("GET", "projects", undefined, gone.signal);
      // The table below says what is wrong with the server; without an answer the projects stay as they were.
      if (answer.ok && !gone.signal.aborted) setList(answer.value);
    };
    void load();
    const timer = setInterval(load, REFRESH_MS);
    return () => {
      gone.abort();
      clearInterval(timer);
    };
  }, [client]);
  if (!list || list.projects.length === 0) return null;
  const owners = new Set(list.projects.map(({ account }) => account));
  const shown = all ? list.projects : list.projects.slice(0, FIRST);
  const left = list.total - list.projects.length;
  return (
    <section class="projects" aria-labelledby="projects">
      <h2 id="projects">Projects</h2>
      <ul>
        {shown.map((project) => (
          <li key={project.url_path}>
            <a class="project-link" href={href(page, project.url_path)}>
              {owners.size > 1 && <span class="dim">{project.account} / </span>}
              {project.name}
            </a>
            <span class="dim num">
              {counted(project.runs, "run")} ·{" "}
              {nowMs - Date.parse(project.active_at) < SILENT_MS ? (
                <span class="active">active now</span>
              ) : (
                <Ago at={project.active_at} nowMs={nowMs} />
              )}
            </span>
          </li>
        ))}
      </ul>
      {list.projects.length > FIRST && (
        <button type="button" class="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${list.projects.length}`}
        </button>
      )}
      {all && left > 0 && (
        <span class="dim">{counted(left, "older project is", "older projects are")} not listed.</span>
      )}
    </section>
  );
}

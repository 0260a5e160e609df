/** The artifacts of a run: what it logged, with a download for each file, and what it used. */
import { useEffect, useState } from "preact/hooks";
import type { ArtifactInfo, RunArtifacts, RunInfo } from "../../api";
import { counted, fileSize } from "../format";
import { href } from "../page";
import { useShell } from "./context";
import { Scroll } from "./scroll";

const REFRESH_MS = 5_000;

/**
 * Return the artifacts of a run; null where there are none, where this reader may not see them, and until they were read.
 * A refusal is no news here: the run's own page tells of what concerns the run.
 */
export function useArtifacts(run: RunInfo): RunArtifacts | null {
  const { client } = useShell();
  const [found, setFound] = useState<RunArtifacts | null>(null);
  const asks = run.permissions.files && !run.anonymous;
  useEffect(() => {
    setFound(null);
    if (!asks) return;
    let wanted = true;
    const load = async () => {
      const answer = await client.artifacts(run.run_id);
      if (wanted && answer.ok) setFound(answer.value);
    };
    load();
    const timer = run.state === "running" ? setInterval(load, REFRESH_MS) : undefined;
    return () => {
      wanted = false;
      clearInterval(timer);
    };
  }, [client, run.run_id, run.state, asks]);
  return found && found.logged.length + found.used.length > 0 ? found : null;
}

export function Files({ run, artifacts }: { readonly run: RunInfo; readonly artifacts: RunArtifacts }) {
  return (
    <div class="files">
      {artifacts.logged.map((artifact) => (
        <Logged key={artifact.artifact_id} artifact={artifact} />
      ))}
      {artifacts.used.length > 0 && <Used run={run} artifacts={artifacts.used} />}
    </div>
  );
}

const named = ({ name, version }: ArtifactInfo) => `${name}:${version}`;

function Logged({ artifact }: { readonly artifact: ArtifactInfo }) {
  const { page } = useShell();
  const file = (number: number) => href(page, `api/v1/artifacts/${artifact.artifact_id}/files/${number}`);
  return (
    <section>
      <h2>{named(artifact)}</h2>
      <p class="about">
        {[artifact.type, ...artifact.aliases].join(" · ")} · {counted(artifact.file_count, "file")},{" "}
        {fileSize(artifact.size_bytes)}
      </p>
      {artifact.description && <p>{artifact.description}</p>}
      <Scroll label={`Files of ${named(artifact)}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">file</th>
              <th scope="col" class="number">
                size
              </th>
            </tr>
          </thead>
          <tbody>
            {artifact.files.map(({ path, size_bytes }, number) => (
              <tr key={path}>
                <th scope="row" class="path">
                  <a href={file(number)} download aria-label={`Download ${path}`}>
                    <bdi>{path}</bdi>
                  </a>
                </th>
                <td class="number">{fileSize(size_bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function Used({ run, artifacts }: { readonly run: RunInfo; readonly artifacts: readonly ArtifactInfo[] }) {
  const { page } = useShell();
  return (
    <section>
      <h2>Used</h2>
      <ul>
        {artifacts.map((artifact) => (
          <li key={artifact.artifact_id}>
            {named(artifact)}, {artifact.type},{" "}
            {artifact.run_id === run.run_id ? (
              "logged by this run"
            ) : (
              <a href={href(page, `r/${artifact.run_id}`)}>logged by another run</a>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What can be done to the runs that are chosen in the table. Whatever is lost is named and asked for first. */
import { useState } from "preact/hooks";
import type { RunInfo } from "../../api";
import { each, tagsIn, withTags } from "../bulk";
import { comparePath, MOST_COMPARED } from "../compare";
import { counted } from "../format";
import { answerOf, asRefusal } from "../http";
import { href } from "../page";
import { useShell } from "./context";
import { Confirm, Dialog } from "./dialog";
import { Field } from "./field";
import { Form } from "./form";

export interface BulkBarProps {
  readonly runs: readonly RunInfo[];
  /** What became of them: null for those that are gone. */
  readonly onChange: (runs: ReadonlyMap<string, RunInfo | null>) => void;
  readonly onClear: () => void;
}

/** So many names are read before a yes; of more the number is said. */
const MOST_NAMED = 12;

const named = (runs: readonly RunInfo[]) => {
  const more = runs.length - MOST_NAMED;
  return (
    <ul class="names">
      {runs.slice(0, MOST_NAMED).map((run) => (
        <li key={run.run_id}>{run.name}</li>
      ))}
      {more > 0 && <li class="dim">and {counted(more, "more", "more")}</li>}
    </ul>
  );
};

export function BulkBar({ runs, onChange, onClear }: BulkBarProps) {
  const { page, client, send, session, say } = useShell();
  const [asking, setAsking] = useState<"delete" | "tags" | "move" | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [done, setDone] = useState(0);
  const mine = runs.filter((run) => run.permissions.write);
  const doomed = runs.filter((run) => run.permissions.delete);
  const comparable = runs.length >= 2 && runs.length <= MOST_COMPARED;
  const only = runs.length === 1 ? runs[0] : undefined;

  const doTo = async (some: readonly RunInfo[], what: string, act: (run: RunInfo) => Promise<RunInfo | null>) => {
    const known = new Map<string, RunInfo | null>();
    setDone(0);
    setFailed(null);
    const wrong = await each(some, async (run) => known.set(run.run_id, await act(run)), setDone);
    onChange(known);
    if (wrong.length === 0) say(`${counted(some.length, "run")} ${what}.`);
    else {
      const [first] = wrong;
      const others = wrong.length > 1 ? `, and ${counted(wrong.length - 1, "other", "others")}` : "";
      setFailed(`Not ${what}: ${first?.thing.name}${others}. ${first?.why ?? ""}`);
    }
  };
  const changed = async (run: RunInfo, change: object) => {
    await send("PATCH", `runs/${run.run_id}`, change);
    return answerOf(client.run(run.run_id));
  };
  const openClaim = async (run: RunInfo) => {
    try {
      await session.openClaim({ run_id: run.run_id });
      location.assign(href(page, "/claim"));
    } catch (reason) {
      setFailed(asRefusal(reason).message);
    }
  };
  const staying = (some: readonly RunInfo[], what: string) =>
    some.length < runs.length && (
      <p class="dim">
        {counted(runs.length - some.length, "of those chosen is", "of those chosen are")} not yours to {what}, and{" "}
        {runs.length - some.length === 1 ? "stays" : "stay"} as it is.
      </p>
    );
  return (
    <>
      <section class="bulk" aria-label="Chosen runs">
        <b class="num" role="status">
          {counted(runs.length, "run")} chosen
        </b>
        <div class="actions">
          {comparable ? (
            <a class="button strong" href={href(page, comparePath(runs.map(({ run_id }) => run_id)))}>
              Compare
            </a>
          ) : (
            <span class="dim">Compare takes 2 to {MOST_COMPARED} runs</span>
          )}
          {mine.length > 0 && (
            <button type="button" class="quiet" onClick={() => setAsking("tags")}>
              Tags
            </button>
          )}
          {mine.length > 0 && (
            <button type="button" class="quiet" onClick={() => setAsking("move")}>
              Move
            </button>
          )}
          {only?.permissions.claim && (
            <button type="button" class="quiet" onClick={() => openClaim(only)}>
              Claim
            </button>
          )}
          {doomed.length > 0 && (
            <button type="button" class="quiet" onClick={() => setAsking("delete")}>
              Delete
            </button>
          )}
          <button type="button" class="quiet" onClick={onClear}>
            Choose none
          </button>
        </div>
      </section>
      {failed && (
        <p class="failed" role="alert">
          {failed}
        </p>
      )}
      {asking === "delete" && (
        <Confirm
          title={`Delete ${counted(doomed.length, "run")}?`}
          act={`Delete ${counted(doomed.length, "run")}`}
          busy={`Deleting, ${done} of ${doomed.length}…`}
          onAct={async () => {
            await doTo(doomed, "deleted", async (run) => {
              await send<void>("DELETE", `runs/${run.run_id}`);
              return null;
            });
          }}
          onClose={() => setAsking(null)}
        >
          {named(doomed)}
          {staying(doomed, "delete")}
          <p>Each run and its points are gone at once, for everyone, and cannot be brought back.</p>
        </Confirm>
      )}
      {asking === "tags" && (
        <Dialog title={`Tags of ${counted(mine.length, "run")}`} onClose={() => setAsking(null)}>
          {(close) => (
            <Form
              label="Change tags"
              submit="Change the tags"
              busy={`Changing, ${done} of ${mine.length}…`}
              place={() => null}
              check={({ more = "", fewer = "" }) =>
                tagsIn(more).length + tagsIn(fewer).length === 0
                  ? { field: "more", text: "Enter a tag to add, or one to take away." }
                  : null
              }
              onSubmit={async ({ more = "", fewer = "" }) => {
                await doTo(mine, "tagged", (run) =>
                  changed(run, { tags: withTags(run.tags, tagsIn(more), tagsIn(fewer)) }),
                );
                close();
              }}
            >
              {(errorAt) => (
                <>
                  {staying(mine, "change")}
                  <Field
                    label="Add"
                    name="more"
                    autoComplete="off"
                    hint="Several with commas between them."
                    maxLength={1000}
                    error={errorAt("more")}
                    optional
                  />
                  <Field label="Take away" name="fewer" autoComplete="off" maxLength={1000} optional />
                </>
              )}
            </Form>
          )}
        </Dialog>
      )}
      {asking === "move" && (
        <Dialog title={`Move ${counted(mine.length, "run")}`} onClose={() => setAsking(null)}>
          {(close) => (
            <Form
              label="Move to a project"
              submit="Move"
              busy={`Moving, ${done} of ${mine.length}…`}
              place={() => "project"}
              check={({ project = "" }) =>
                /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(project.trim())
                  ? null
                  : { field: "project", text: "Start with a letter or digit, then letters, digits or . _ -" }
              }
              onSubmit={async ({ project = "" }) => {
                await doTo(mine, "moved", (run) => changed(run, { project: project.trim() }));
                close();
              }}
            >
              {(errorAt) => (
                <>
                  {staying(mine, "move")}
                  <Field
                    label="To project"
                    name="project"
                    autoComplete="off"
                    hint="It is made where there is none of this name. Links to the runs stay the same."
                    maxLength={128}
                    error={errorAt("project")}
                  />
                </>
              )}
            </Form>
          )}
        </Dialog>
      )}
    </>
  );
}

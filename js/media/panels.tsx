/** All media of a run but its log: a panel for each key, arranged by the same choices as the charts. */

import { arrange } from "../charts/arrange";
import { type Choices, toggled } from "../charts/choices";
import { SectionOfCharts } from "../charts/section";
import { type Group, specsOf } from "./groups";
import { useStore } from "./hooks";
import { Panel, type PanelView } from "./panel";

export interface PanelsProps extends PanelView {
  readonly choices: Choices;
  onChoices(choices: Choices): void;
}

/** Sections of charts are folded by themselves. */
const FOLD = "media:";

export function Panels({ choices, onChoices, ...view }: PanelsProps) {
  const { store } = view;
  useStore(store);
  const specs = specsOf(store.groups);
  const groups = new Map<string, Group>(specs.map(({ key, group }) => [key, group]));
  const arranged = arrange(specs, choices, []);
  const toggle = (list: "pinned" | "hidden" | "closed", key: string) => onChoices(toggled(choices, list, key));
  const { problem } = store;
  const said = problem ? null : !store.loaded && !specs.length ? "Reading the media…" : null;
  if (!specs.length && !problem && !said) return null;
  const sections = arranged.sections;
  return (
    <section class="anr-media" aria-label="Media">
      <h2>Media</h2>
      {said && <p class="anr-empty">{said}</p>}
      {problem && (
        <p class="anr-trouble" role="alert">
          {problem.detail} {specs.length > 0 && "Some of the media are missing here. "}
          <button type="button" class="anr-quiet" onClick={() => void store.readOn()}>
            Try again
          </button>
        </p>
      )}
      {specs.length > 0 && !arranged.found && (
        <p class="anr-empty">
          {arranged.hidden.length < specs.length
            ? `No media’s name has “${choices.options.filter.trim()}” in it.`
            : "Every panel is hidden. “View” shows them again."}
        </p>
      )}
      {sections.map((one, no) => (
        <SectionOfCharts
          key={one.key}
          label="Media"
          section={one}
          alone={sections.length === 1}
          named={no > 0 || one.key !== "rest"}
          closed={choices.closed.includes(FOLD + one.key)}
          onToggle={() => toggle("closed", FOLD + one.key)}
          card={({ key, title }) => (
            <Panel
              key={key}
              {...view}
              group={groups.get(key) as Group}
              title={title}
              menu={[
                { label: "Pin to the top", checked: choices.pinned.includes(key), act: () => toggle("pinned", key) },
                { label: "Hide", act: () => toggle("hidden", key) },
              ]}
            />
          )}
        />
      ))}
    </section>
  );
}

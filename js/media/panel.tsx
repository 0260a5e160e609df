/** All items of one key: a card with its title, its menu, what is shown, and the step slider. Draws only while seen. */

import { useMemo, useRef, useState } from "preact/hooks";
import { fileName } from "../charts/csv";
import { useVisible } from "../charts/hooks";
import { type MenuItem, MoreMenu } from "../charts/menu";
import type { Theme } from "../charts/palette";
import { save } from "../charts/picture";
import type { LoadPlotly } from "../charts/plotly";
import { Awaited, useContent } from "./content";
import { CurvesView } from "./curves_view";
import { FigureView } from "./figure_view";
import { type Group, type Item, KIND_NAMES, type Place, type Stop, stopAt } from "./groups";
import { HistogramView } from "./histogram_view";
import { ImagesView } from "./images_view";
import { MatrixView } from "./matrix_view";
import { StepSlider } from "./step_slider";
import type { MediaStore } from "./store";
import { TableView } from "./table_view";
import { TextView } from "./text_view";

/** What holds for all panels. */
export interface PanelView {
  readonly store: MediaStore;
  /** Of the run; files are named after it. */
  readonly runName: string;
  readonly theme: Theme;
  readonly loadPlotly: LoadPlotly;
}

export interface PanelProps extends PanelView {
  readonly group: Group;
  readonly title: string;
  readonly menu: readonly MenuItem[];
}

interface BodyProps extends Omit<PanelProps, "menu"> {
  readonly stop: Stop;
  readonly tabled: boolean;
  onSave(file: Blob): void;
}

/** Pictures and tables are read as they are; the others have a table beside. */
const HAS_TABLE = new Set(["histogram", "confusion_matrix", "curves", "figure"]);

function TextOfItem({ store, group, title, stop, theme, loadPlotly, tabled, onSave }: BodyProps) {
  const item = stop.items[0] as Item;
  const content = useContent(
    item.media_id,
    () => store.heldText(item),
    () => store.text(item),
  );
  const track = store.trackOf(group);
  const columns = useMemo(() => track.columns, [track, group.count]);
  return (
    <Awaited name={title} content={content}>
      {(text) => {
        switch (group.kind) {
          case "histogram":
            return (
              <HistogramView
                {...{ name: title, text, step: stop.step, columns, stride: track.stride, theme, tabled }}
              />
            );
          case "table":
            return <TableView name={title} text={text} onSave={onSave} />;
          case "confusion_matrix":
            return <MatrixView {...{ name: title, text, theme, tabled }} />;
          case "curves":
            return <CurvesView {...{ name: title, text, theme, tabled }} />;
          case "figure":
            return <FigureView {...{ name: title, text, theme, tabled, loadPlotly }} />;
          default:
            return <TextView name={title} text={text} />;
        }
      }}
    </Awaited>
  );
}

/** The file of an item as it was logged. */
function useSaving({ store, runName, title }: PanelProps) {
  const [trouble, setTrouble] = useState("");
  const named = (stop: Stop, extension: string) => fileName(`${runName}-${title}-step-${stop.step}`, extension);
  const saveItem = async (stop: Stop, extension: string) => {
    setTrouble("");
    const answer = await store.text(stop.items[0] as Item);
    if (answer.ok) save(new Blob([answer.value], { type: "text/plain" }), named(stop, extension));
    else setTrouble(answer.problem.detail);
  };
  return { trouble, named, saveItem };
}

export function Panel(props: PanelProps) {
  const { group, title, menu } = props;
  const host = useRef<HTMLElement>(null);
  const visible = useVisible(host);
  const [place, setPlace] = useState<Place | null>(null);
  const [tabled, setTabled] = useState(false);
  const { trouble, named, saveItem } = useSaving(props);
  const held = useRef<preact.JSX.Element | null>(null);
  const at = stopAt(group.stops, place);
  const stop = group.stops[at];
  if (visible && stop) {
    const shown = <BodyOf {...props} {...{ stop, tabled }} onSave={(file) => save(file, named(stop, "csv"))} />;
    held.current = (
      <>
        <div class="anr-stage">{shown}</div>
        <StepSlider name={title} stops={group.stops} at={at} onPlace={setPlace} />
      </>
    );
  }
  const caption = group.kind !== "image" && stop?.items[0]?.caption;
  const extension = group.kind === "text" ? "txt" : "json";
  const own: MenuItem[] = HAS_TABLE.has(group.kind)
    ? [{ label: "Show as a table", checked: tabled, act: () => setTabled(!tabled) }]
    : [];
  const files: MenuItem[] =
    group.kind === "image" || !stop
      ? []
      : [{ label: `Save as ${extension.toUpperCase()}`, act: () => void saveItem(stop, extension) }];
  const kind = KIND_NAMES[group.kind];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    <section class="anr-card anr-panel" ref={host} role="group" aria-label={`${kind}: ${title}`} data-kind={group.kind}>
      <header>
        <b class="anr-title" title={title}>
          {title}
        </b>
        {caption && (
          <span class="anr-caption anr-dim" title={caption}>
            {caption}
          </span>
        )}
        <span class="anr-icons">
          <MoreMenu title={title} groups={[[...own, ...menu], files].filter((items) => items.length)} />
        </span>
      </header>
      {trouble && (
        <p class="anr-trouble" role="alert">
          {trouble}
        </p>
      )}
      {held.current ?? <div class="anr-stage" />}
    </section>
  );
}

function BodyOf(props: BodyProps) {
  const { store, title, stop, group } = props;
  return group.kind === "image" ? <ImagesView store={store} name={title} stop={stop} /> : <TextOfItem {...props} />;
}

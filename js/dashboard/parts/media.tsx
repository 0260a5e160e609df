/** The media of a run: read when the run has some, and drawn by a script of their own that is fetched then. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RunInfo } from "../../api";
import { type Choices, useTheme } from "../../charts";
import type * as Drawing from "../../media";
import { MediaStore } from "../../media/store";
import { asRefusal, Refusal } from "../http";
import { href, type PageContext } from "../page";
import { loadPlotly } from "./charts";
import { useShell } from "./context";
import { Failed, Loading } from "./loading";

export interface RunMedia {
  readonly store: MediaStore;
  /** Whether the program printed anything that was recorded. */
  readonly hasLog: boolean;
}

/** Follow the media of a run; null while it has none. */
export function useMedia(run: RunInfo): RunMedia | null {
  const { client } = useShell();
  const store = useMemo(() => new MediaStore(client, run.run_id), [client, run.run_id]);
  const [hasLog, setHasLog] = useState(false);
  const count = run.media ?? 0;
  useEffect(() => store.subscribe(() => setHasLog(store.log.length > 0)), [store]);
  useEffect(() => () => store.close(), [store]);
  useEffect(() => void store.readTo(count), [store, count]);
  return count > 0 ? { store, hasLog } : null;
}

async function loadDrawing(page: PageContext): Promise<typeof Drawing> {
  try {
    return await import(href(page, "/static/media.js"));
  } catch {
    const detail = "What draws media could not be fetched from the server.";
    throw new Refusal({ status: 0, code: "unreachable", detail });
  }
}

/** A place in the page that the other script draws into. */
function Drawn({ draw }: { readonly draw: (drawing: typeof Drawing, host: HTMLElement) => void }) {
  const { page } = useShell();
  const host = useRef<HTMLDivElement>(null);
  const [drawing, setDrawing] = useState<typeof Drawing | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const theme = useTheme();
  const load = () => {
    setRefusal(null);
    loadDrawing(page).then(setDrawing, (reason) => setRefusal(asRefusal(reason)));
  };
  useEffect(load, [page]);
  useEffect(() => {
    if (drawing && host.current) draw(drawing, host.current);
  });
  useEffect(() => {
    const element = host.current;
    return () => void (drawing && element && drawing.clear(element));
  }, [drawing]);
  return (
    <>
      {refusal ? <Failed refusal={refusal} onRetry={load} /> : !drawing && <Loading what="Preparing the media…" />}
      <div class="anr" data-theme={theme} ref={host} />
    </>
  );
}

export interface MediaPanelsProps {
  readonly run: RunInfo;
  readonly media: RunMedia;
  readonly choices: Choices;
  readonly onChoices: (choices: Choices) => void;
}

export function MediaPanels({ run, media, choices, onChoices }: MediaPanelsProps) {
  const { page } = useShell();
  const theme = useTheme();
  const view = { store: media.store, runName: run.name, theme, loadPlotly: () => loadPlotly(page), choices, onChoices };
  return <Drawn draw={(drawing, host) => drawing.drawPanels(host, view)} />;
}

export function RunLog({ run, media }: { readonly run: RunInfo; readonly media: RunMedia }) {
  const view = { store: media.store, runName: run.name, running: run.state === "running" };
  return <Drawn draw={(drawing, host) => drawing.drawLog(host, view)} />;
}

/** Gets plotly to the page when it is first needed: from the server, else from the kernel. */

import type { Plotly } from "../charts";
import { imported } from "./unpacked";

/** Where plotly may come from; each gives null where it has none. */
export interface PlotlySources {
  /** Address of the script on a server that answers. */
  url(): Promise<string | null>;
  /** The gzipped script from the kernel, which reads the request when it is idle. */
  bytes(): Promise<DataView | null>;
}

type Loaded = { default: Plotly };

// One copy for all runs of a page, whatever version of this script asked first.
const PAGE = globalThis as { __anonrun_plotly?: Promise<Plotly> };

async function load(sources: PlotlySources): Promise<Plotly> {
  const url = await sources.url();
  if (url) {
    try {
      return ((await import(url)) as Loaded).default;
    } catch {
      // An old server without the file, or a policy that forbids it: the kernel is asked.
    }
  }
  const bytes = await sources.bytes();
  if (bytes) return (await imported<Loaded>(bytes)).default;
  throw new Error("plotly could not be loaded: no server in reach, and the kernel is busy or gone.");
}

/** Return plotly; a failure is not remembered, so that the next try may succeed. */
export function loadPlotly(sources: PlotlySources): Promise<Plotly> {
  PAGE.__anonrun_plotly ??= load(sources).catch((error: unknown) => {
    PAGE.__anonrun_plotly = undefined as never;
    throw error;
  });
  return PAGE.__anonrun_plotly;
}

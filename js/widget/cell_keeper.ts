/**
 * A reader's choices in a notebook: for each cell while the page is there, so that running it again changes nothing,
 * and for each run in the browser's tab, so that a reload does not either. The notebook's file has no part in it.
 */

import { inStorage, type Keeper } from "../charts";

const CELL = ".jp-Cell, .cell, [data-cell-id]";
const PAGE = globalThis as { __anonrun_choices?: WeakMap<Element, string> };
PAGE.__anonrun_choices ??= new WeakMap();
const cells = PAGE.__anonrun_choices;

/** Return where the choices for `root`, which shows a run, are kept. */
export function keeperFor(root: Element, runId: string): Keeper {
  const tab = inStorage(() => sessionStorage, `anonrun.charts.${runId}`);
  const cell = () => root.closest(CELL);
  return {
    read() {
      const here = cell();
      return (here && cells.get(here)) ?? tab.read();
    },
    write(text) {
      const here = cell();
      if (here) cells.set(here, text);
      tab.write(text);
    },
  };
}

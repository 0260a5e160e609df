/** The widget: joins a kernel's model, a run's view and a place on the page. */

import "./widget.css";
import { render as draw, h } from "preact";
import { App } from "./app";
import { keeperFor } from "./cell_keeper";
import type { Model } from "./contract";
import { place } from "./placement";
import { RunView } from "./run_view";

/**
 * Views by run. The notebook loads this script anew for each widget, so what is to be one for the page
 * stands on the page.
 */
const PAGE = globalThis as { __anonrun_views?: Map<string, { view: RunView; roots: number }> };
PAGE.__anonrun_views ??= new Map();
const views = PAGE.__anonrun_views;

function viewOf(model: Model): { view: RunView; roots: number } {
  const run = model.get("run");
  let held = views.get(run.run_id);
  if (!held) {
    held = { view: new RunView(run), roots: 0 };
    views.set(run.run_id, held);
  }
  return held;
}

function initialize({ model }: { model: Model }): () => void {
  const { view } = viewOf(model);
  view.attach(model);
  return () => view.detach();
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const held = viewOf(model);
  const { view } = held;
  return place(el, view.runId, {
    show(root) {
      held.roots += 1;
      view.wake();
      draw(h(App, { view, root, keeper: keeperFor(root, view.runId) }), root);
    },
    clear(root) {
      draw(null, root);
      held.roots -= 1;
      if (held.roots > 0) return;
      view.sleep();
      views.delete(view.runId);
      view.close();
    },
  });
}

export default { initialize, render };

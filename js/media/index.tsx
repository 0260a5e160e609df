/**
 * Draws the media of a run into an element of a page. A script of its own, which a page fetches for a run that has media.
 */

import { type ComponentChildren, render } from "preact";
import { LogView, type LogViewProps } from "./log_view";
import { Panels, type PanelsProps } from "./panels";

function put(host: HTMLElement, content: ComponentChildren): void {
  render(content, host);
}

/** Draw the panels, or draw them anew. */
export function drawPanels(host: HTMLElement, props: PanelsProps): void {
  put(host, <Panels {...props} />);
}

/** Draw the log, or draw it anew. */
export function drawLog(host: HTMLElement, props: LogViewProps): void {
  put(host, <LogView {...props} />);
}

/** Take away what was drawn. */
export function clear(host: HTMLElement): void {
  put(host, null);
}

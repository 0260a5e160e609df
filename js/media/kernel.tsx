/** The media of a run in a notebook. A script of its own, which the kernel sends to the widget with the first of them. */

import { render } from "preact";
import type { MediaInfo } from "../api";
import { KernelSource } from "./kernel_source";
import css from "./media.css";
import { Panels, type PanelsProps } from "./panels";
import { type MediaClient, MediaStore } from "./store";

export class KernelMedia {
  readonly #source: KernelSource;
  readonly #store: MediaStore;

  /** `elsewhere` gives a server that may have what the page let go of; null where none answers. */
  constructor(runId: string, elsewhere: () => Promise<MediaClient | null>) {
    this.#source = new KernelSource(elsewhere);
    this.#store = new MediaStore(this.#source, runId);
  }

  /** Take in items, and the content of each in the same place. */
  take(items: readonly MediaInfo[], contents: readonly DataView[]): void {
    this.#source.take(items, contents);
    void this.#store.readTo(this.#source.count);
  }

  /** Draw the panels into an element, or draw them anew. */
  draw(host: HTMLElement, props: Omit<PanelsProps, "store">): void {
    // Beside the panels and not in the page's head, which does not reach into a host's shadow roots.
    const drawn = (
      <>
        <style>{css}</style>
        <Panels store={this.#store} {...props} />
      </>
    );
    render(drawn, host);
  }

  /** Take away what was drawn. */
  clear(host: HTMLElement): void {
    render(null, host);
  }

  /** Let go of what was made of the contents to draw them; it is made again where they are drawn once more. */
  close(): void {
    this.#store.close();
  }
}

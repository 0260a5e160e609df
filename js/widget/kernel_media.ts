/** Media from the kernel, held back until the script that draws them is here: it comes with the first of them. */

import type { MediaInfo } from "../api";
import type { KernelMedia } from "../media/kernel";
import { imported } from "./unpacked";

type Loaded = typeof import("../media/kernel");
interface Parcel {
  readonly items: readonly MediaInfo[];
  readonly contents: readonly DataView[];
}

const MOST_WAITING = 32;

export class MediaArrivals {
  readonly #made: (script: Loaded) => KernelMedia;
  readonly #ready: (media: KernelMedia) => void;
  readonly #load: (bytes: DataView) => Promise<Loaded>;
  #waiting: Parcel[] = [];
  #media: KernelMedia | null = null;
  #loading = false;

  constructor(
    made: (script: Loaded) => KernelMedia,
    ready: (media: KernelMedia) => void,
    load: (bytes: DataView) => Promise<Loaded> = imported,
  ) {
    this.#made = made;
    this.#ready = ready;
    this.#load = load;
  }

  /** Take in a message's buffers; of the first one the script, which is used once. */
  take(first: boolean, items: readonly MediaInfo[], buffers: readonly DataView[]): void {
    const parcel = { items, contents: first ? buffers.slice(1) : buffers };
    if (this.#media) this.#media.take(parcel.items, parcel.contents);
    else this.#waiting = [...this.#waiting, parcel].slice(-MOST_WAITING);
    if (first && buffers[0] && !this.#media && !this.#loading) void this.#begin(buffers[0]);
  }

  async #begin(script: DataView): Promise<void> {
    this.#loading = true;
    try {
      const media = this.#made(await this.#load(script));
      for (const { items, contents } of this.#waiting) media.take(items, contents);
      this.#waiting = [];
      this.#media = media;
      this.#ready(media);
    } catch (error) {
      // It comes again with what is sent anew.
      console.warn("anonrun: what draws media could not be loaded.", error);
    }
    this.#loading = false;
  }
}

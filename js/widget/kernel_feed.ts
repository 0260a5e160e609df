/**
 * The kernel's side of a run: joins a widget's model, keeps the points that it sends, and asks it for files.
 *
 * Invariant: `rows.complete` only while no message was missed, damaged or thinned since the last full one.
 */

import { decodePlainSegments, type Frame, type MediaInfo } from "../api";
import { History, type OtherRun } from "../charts";
import type { KernelMessage, Model, Traits } from "./contract";
import { Rows } from "./rows";

/** What a feed tells its owner. */
export interface KernelListener {
  /** Anything came: the kernel is alive. */
  heard(): void;
  traits(traits: Traits): void;
  secrets(view: string | null, claim: string | null): void;
  /** Everything so far has come. */
  reset(): void;
  /** These runs stand behind this one from now on. */
  others(runs: readonly OtherRun[]): void;
  /** Media have come, and with the `first` of them the script that draws them. */
  media(first: boolean, items: readonly MediaInfo[], buffers: readonly DataView[]): void;
}

type PointsMessage = Extract<KernelMessage, { type: "points" }>;
type RunsMessage = Extract<KernelMessage, { type: "runs" }>;

const TRAITS = ["change:run", "change:status", "change:config"] as const;
const PATIENCE_MS = 20_000;

export class KernelFeed {
  readonly history = new History();
  readonly #listener: KernelListener;
  #rows = new Rows(false);
  #nextNo = 0;
  #othersVersion = -1;
  #model: Model | null = null;
  #unhear: () => void = () => undefined;
  readonly #assets = new Map<string, ((bytes: DataView | null) => void)[]>();

  constructor(listener: KernelListener) {
    this.#listener = listener;
  }

  get attached(): boolean {
    return this.#model !== null;
  }

  /** The rows behind `history`, for downloads. */
  get rows(): Rows {
    return this.#rows;
  }

  attach(model: Model): void {
    this.detach();
    this.#model = model;
    this.#othersVersion = -1;
    const traits = () => {
      this.#listener.heard();
      this.#tellTraits(model);
    };
    const message = (said: KernelMessage, buffers: DataView[]) => this.#hear(said, buffers);
    for (const change of TRAITS) model.on(change, traits);
    model.on("msg:custom", message);
    this.#unhear = () => {
      for (const change of TRAITS) model.off(change, traits);
      model.off("msg:custom", message);
    };
    traits();
    model.send({ type: "hello" });
  }

  detach(): void {
    this.#unhear();
    this.#unhear = () => undefined;
    this.#model = null;
  }

  /** Ask for a gzipped file; null where the kernel is gone, or too busy to answer soon. */
  askForAsset(name: string): Promise<DataView | null> {
    const model = this.#model;
    if (!model) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#assets.set(name, [...(this.#assets.get(name) ?? []), resolve]);
      setTimeout(() => resolve(null), PATIENCE_MS);
      model.send({ type: "asset", name });
    });
  }

  #tellTraits(model: Model): void {
    const [run, status, config] = [model.get("run"), model.get("status") ?? {}, model.get("config") ?? {}];
    this.#listener.traits({ run, status, config });
  }

  #hear(message: KernelMessage, buffers: readonly DataView[]): void {
    this.#listener.heard();
    if (message.type === "secrets") this.#listener.secrets(message.view, message.claim);
    else if (message.type === "points") this.#takePoints(message, buffers);
    else if (message.type === "runs") this.#takeOthers(message, buffers);
    else if (message.type === "media") this.#listener.media(message.first, message.items, buffers);
    else {
      for (const take of this.#assets.get(message.name) ?? []) take(buffers[0] ?? null);
      this.#assets.delete(message.name);
    }
  }

  #takeOthers({ version, runs }: RunsMessage, buffers: readonly DataView[]): void {
    // They are sent again and again, since a page may not have been there.
    if (version === this.#othersVersion) return;
    try {
      const others = runs.map((run, i) => {
        const history = new History();
        const buffer = buffers[i];
        if (buffer) history.replace(decodePlainSegments(buffer).flatMap(({ frames }) => frames));
        return { ...run, history };
      });
      this.#listener.others(others);
      this.#othersVersion = version;
    } catch (error) {
      console.warn("anonrun: other runs from the kernel could not be read.", error);
    }
  }

  #takePoints({ no, reset, complete = true }: PointsMessage, buffers: readonly DataView[]): void {
    const frames: Frame[] = [];
    try {
      for (const buffer of buffers) for (const segment of decodePlainSegments(buffer)) frames.push(...segment.frames);
    } catch (error) {
      // The next full message, a few seconds away, repairs what is missing now.
      console.warn("anonrun: points from the kernel could not be read.", error);
      this.#rows.lose();
      return;
    }
    const missed = !reset && no !== this.#nextNo;
    this.#nextNo = no + 1;
    if (reset) {
      this.#rows = new Rows(complete);
      this.history.replace(frames);
      this.#listener.reset();
    } else this.history.append(frames);
    if (missed || !complete) this.#rows.lose();
    this.#rows.append(frames);
  }
}

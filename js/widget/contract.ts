/** What passes between kernel and page; `docs/protocol.md`, "Kernel and widget", says what it means. */

import type { MediaInfo, RunInfo, RunState } from "../api";

export interface ServerAddress {
  /** Root of the server as the kernel reaches it; null until it is known. */
  readonly url: string | null;
  readonly instance: string | null;
  readonly embedded: boolean;
}

/** The trait `run`: what is known of the run; what only the server can say is absent until it has answered. */
export interface RunTrait extends Partial<RunInfo> {
  readonly run_id: string;
  readonly name: string;
  readonly anonymous: boolean;
  readonly server?: ServerAddress | null;
  /** Name of a machine that is soon gone, such as "Colab", where the embedded server is on one. */
  readonly temporary?: string | null;
}

/** The trait `status`. */
export interface Status {
  readonly state?: RunState;
  /** Rows logged. */
  readonly rows?: number;
  readonly unsent_rows?: number;
  /** A sentence for people. */
  readonly trouble?: string | null;
  /** The exception that stopped the run, in one line; absent where none did, or where it logged since. */
  readonly failure?: string | null;
  /** Server's clock minus the kernel's. */
  readonly server_time_offset_ms?: number | null;
}

/** The trait `config`: what the user asked of the widget. */
export interface WidgetConfig {
  /** Metrics whose charts stand first. */
  readonly key_metrics?: readonly string[];
  /** Height of the charts' part in CSS pixels; beyond it, it scrolls. */
  readonly height?: number | null;
}

export interface Traits {
  run: RunTrait;
  status: Status;
  config: WidgetConfig;
}

/** A run behind the one that is shown; its points are in the message's buffer of the same place. */
export interface OtherTrait {
  readonly key: string;
  readonly kind: "reference" | "run";
  readonly name: string;
  readonly slot: number;
  /** Seconds since the Unix epoch; null: its times are seconds since its start. */
  readonly start: number | null;
}

export type KernelMessage =
  | { readonly type: "runs"; readonly version: number; readonly runs: readonly OtherTrait[] }
  | { readonly type: "points"; readonly no: number; readonly reset: boolean; readonly complete?: boolean }
  | { readonly type: "media"; readonly first: boolean; readonly items: readonly MediaInfo[] }
  | { readonly type: "secrets"; readonly view: string | null; readonly claim: string | null }
  | { readonly type: "asset"; readonly name: string };

export type PageMessage = { readonly type: "hello" } | { readonly type: "asset"; readonly name: string };

/** The part of anywidget's model that is used. */
export interface Model {
  get<K extends keyof Traits>(name: K): Traits[K];
  on(event: "msg:custom", heard: (message: KernelMessage, buffers: DataView[]) => void): void;
  on(event: `change:${keyof Traits}`, heard: () => void): void;
  off(event: string, heard: (...args: never[]) => void): void;
  send(message: PageMessage): void;
}

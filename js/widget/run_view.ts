/**
 * One run as this page knows it: fed by the kernel while that speaks, by the server when it does not.
 *
 * Owns the history, the secrets and every connection of the run; draws nothing. Invariants: secrets are
 * held here and nowhere else; it outlives the widget, since at the end the kernel takes that away.
 */

import { Client, type Frame, type Problem, type RunInfo } from "../api";
import { type DetailSource, detailFrom, type History, type OtherRun, type Plotly, stretchOf } from "../charts";
import { Feed } from "../charts/feed";
import { fileOf, type Saved } from "../file/write";
import type { KernelMedia } from "../media/kernel";
import type { Gone } from "../status/keeping";
import { jupyterBase, type Reached, reach } from "./address";
import { ClaimWatch } from "./claim_watch";
import type { Model, RunTrait, Status, Traits, WidgetConfig } from "./contract";
import { KernelFeed } from "./kernel_feed";
import { MediaArrivals } from "./kernel_media";
import { loadPlotly } from "./plotly_source";
import { unpacked } from "./unpacked";

/** Who tells this page of the run: `over` needs nobody any more. */
export type Source = "kernel" | "server" | "nobody" | "over";

export interface ViewState {
  readonly run: RunTrait;
  readonly status: Status;
  readonly config: WidgetConfig;
  readonly source: Source;
  readonly gone: Gone | null;
  /** Whether this page has seen the run unclaimed. */
  readonly wasAnonymous: boolean;
  /** Server's clock minus this browser's. */
  readonly clockOffsetMs: number;
  /** What is shown: the kernel's points, or the server's. */
  readonly history: History;
  /** Runs behind this one. */
  readonly others: readonly OtherRun[];
  /** Pictures, tables and the like that the kernel sent; null before the first. */
  readonly media: KernelMedia | null;
  readonly server: Reached | null;
  /** Which secrets are here; the secrets themselves are asked for when they are used. */
  readonly has: { readonly view: boolean; readonly claim: boolean };
  /** When the last word of the kernel or the server came, in the browser's time. */
  readonly heardAt: number;
}

const SILENCE_MS = 10_000;
const LOOK_MS = 1_000;
const RETRY_SERVER_MS = 15_000;

export class RunView {
  readonly runId: string;
  readonly #kernel: KernelFeed;
  readonly #listeners = new Set<() => void>();
  readonly #watch: ClaimWatch;
  #secrets: { view: string | null; claim: string | null } = { view: null, claim: null };
  #feed: Feed | null = null;
  #feedNotBefore = 0;
  #unfeed: () => void = () => undefined;
  #reaching: Promise<Reached | null> | null = null;
  #reachedAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setInterval> | undefined;
  #measured = false;
  #state: ViewState;

  constructor(run: RunTrait) {
    this.runId = run.run_id;
    const arrivals = new MediaArrivals(
      ({ KernelMedia }) => new KernelMedia(this.runId, () => this.#reader()),
      (media) => this.#set({ media }),
    );
    this.#kernel = new KernelFeed({
      heard: () => this.#hear(),
      traits: (traits) => this.#takeTraits(traits),
      secrets: (view, claim) => this.#takeSecrets(view, claim),
      reset: () => this.#stopFeed(),
      others: (others) => this.#set({ others }),
      media: (first, items, buffers) => arrivals.take(first, items, buffers),
    });
    this.#state = {
      run,
      status: {},
      config: {},
      source: "nobody",
      gone: null,
      wasAnonymous: run.anonymous,
      clockOffsetMs: 0,
      history: this.#kernel.history,
      others: [],
      media: null,
      server: null,
      has: { view: false, claim: false },
      heardAt: Date.now(),
    };
    this.#watch = new ClaimWatch(() => this.#askWhoseItIs());
  }

  get state(): ViewState {
    return this.#state;
  }

  /** Call `listener` after each change of `state`; the history tells of its own. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Server's time now, in milliseconds. */
  now(): number {
    return Date.now() + this.#state.clockOffsetMs;
  }

  /** The kernel's widget is here. */
  attach(model: Model): void {
    this.#kernel.attach(model);
    this.wake();
  }

  /** The kernel's widget is gone; what was shown stays. */
  detach(): void {
    this.#kernel.detach();
    this.#look();
  }

  /** Begin to keep watch; called when something shows the run. */
  wake(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#watch.start();
    void this.reached();
  }

  /** Let go of what takes much memory; called when the page forgets the run. */
  close(): void {
    this.#state.media?.close();
  }

  /** End all that runs by itself; called when nothing shows the run any more. */
  sleep(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#watch.stop();
    this.#stopFeed();
  }

  /** Where the server is reached; looked up again where it did not answer. */
  async reached(): Promise<Reached | null> {
    const stale = !this.#state.server?.answers && Date.now() - this.#reachedAt > RETRY_SERVER_MS;
    if (!this.#reaching || stale) {
      this.#reachedAt = Date.now();
      this.#reaching = reach(this.#state.run.server, jupyterBase(document));
    }
    const server = await this.#reaching;
    if (server && server.base + server.answers !== `${this.#state.server?.base}${this.#state.server?.answers}`) {
      this.#set({ server });
    }
    return server;
  }

  /** Address of the claim page with its secret; null while that has not arrived. */
  claimLink(): string | null {
    const { claim } = this.#secrets;
    return claim && this.#link("claim", `c=${claim}`);
  }

  /** Address of the run's page; with the view token where it is here. */
  viewLink(): string | null {
    const path = this.#state.run.url_path ?? `r/${encodeURIComponent(this.runId)}`;
    return this.#link(path, this.#secrets.view ? `v=${this.#secrets.view}` : "");
  }

  /** Look for the claim that the reader has gone off to make. */
  expectClaim(): void {
    this.#watch.expect();
  }

  /** Delete the run on its server. Returns what stood in the way, or null. */
  async delete(): Promise<Problem | null> {
    const server = await this.reached();
    const answer = await this.#client(server?.base ?? "/", () => this.#secrets.claim).deleteRun(this.runId);
    if (!answer.ok && answer.problem.code !== "run_deleted") return answer.problem;
    this.#end({ why: "deleted" });
    return null;
  }

  /** Finer points: from memory while every row is here and the kernel speaks, else from the server. */
  readonly detail: DetailSource = async (query, signal) => {
    if (this.#hasAll()) return stretchOf(this.#kernel.rows.frames, query);
    const client = await this.#reader();
    return client && detailFrom(client, this.runId)(query, signal);
  };

  /** Every point of some metrics, from where `detail` has its own; rejects with the reason where there is none. */
  readonly allPoints = async (metrics: readonly string[]): Promise<readonly Frame[]> => {
    const client = this.#hasAll() ? null : await this.#reader();
    if (client) {
      const answer = await client.series(this.runId, metrics);
      if (answer.ok) return answer.value.flatMap(({ frames }) => frames);
      throw new Error(answer.problem.detail);
    }
    if (this.#hasAll()) return this.#kernel.rows.frames;
    throw new Error("Not every point is in this page, and the server that has them does not answer. Try again later.");
  };

  /** The run as a file: from memory where every row is here, else from the server. */
  async download(format: "csv" | "json"): Promise<Blob | Problem> {
    if (!this.#kernel.rows.complete && this.#state.server?.answers) {
      const client = this.#client(this.#state.server.base, () => this.#secrets.view);
      const answer = await client.exportRun(this.runId, format);
      if (answer.ok) return answer.value;
      if (!this.#state.history.points) return answer.problem;
    }
    return new Blob([format === "csv" ? this.#kernel.rows.toCsv() : this.#json()], { type: `text/${format}` });
  }

  /** The run as one HTML file, with charts to work with; rejects with the reason where that cannot be. */
  async htmlFile(): Promise<Blob> {
    const [page, run, frames] = [await this.#page(), await this.#whole(), await this.allPoints([])];
    return fileOf(page, run, frames, new Date(this.now()), document);
  }

  /** The page that a file is made of: from the server, else from the kernel. */
  async #page(): Promise<string> {
    const server = await this.reached();
    if (server?.answers) {
      // A server on another site does not let this page read it; the kernel does.
      const answer = await fetch(`${server.base}static/file.txt`).catch(() => null);
      if (answer?.ok) return answer.text();
    }
    const bytes = await this.#kernel.askForAsset("file");
    if (bytes) return (await unpacked(bytes)).text();
    throw new Error("No server is in reach, and the kernel is busy or gone. CSV and JSON need neither.");
  }

  /** What is known of the run, with what only the server knows where it answers. */
  async #whole(): Promise<Saved> {
    const answer = await (await this.#reader())?.run(this.runId);
    const { run, status } = this.#state;
    const known = {
      project: "",
      id: "",
      created_at: new Date(0).toISOString(),
      ...run,
      ...(answer?.ok && answer.value),
    };
    return { ...known, state: status.state ?? known.state ?? "running", failure: status.failure };
  }

  /** Whether a download from memory would have every row. */
  get complete(): boolean {
    return this.#kernel.rows.complete;
  }

  readonly plotly = (): Promise<Plotly> => {
    return loadPlotly({
      url: async () => {
        const server = await this.reached();
        return server?.answers ? `${server.base}static/plotly.js` : null;
      },
      bytes: () => this.#kernel.askForAsset("plotly"),
    });
  };

  #json(): string {
    const { run_id, name, project, config, summary, created_at, finished_at } = this.#state.run;
    const about = { run_id, name, project, created_at, finished_at, config, summary };
    return JSON.stringify(
      { ...about, complete: this.#kernel.rows.complete, history: this.#kernel.rows.toSeries() },
      null,
      1,
    );
  }

  #hasAll(): boolean {
    return this.#kernel.rows.complete && this.#state.history === this.#kernel.history;
  }

  async #reader(): Promise<Client | null> {
    const server = await this.reached();
    return server?.answers ? this.#client(server.base, () => this.#secrets.view) : null;
  }

  #link(path: string, fragment: string): string | null {
    const base = this.#state.server?.base;
    return base ? `${base}${path}${fragment && `#${fragment}`}` : null;
  }

  #client(base: string, token: () => string | null): Client {
    return new Client({ base, token });
  }

  #set(change: Partial<ViewState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  /** The kernel is alive; nobody needs to draw anything for that. */
  #hear(): void {
    const source = this.#isOver() ? "over" : "kernel";
    this.#state = { ...this.#state, heardAt: Date.now() };
    if (this.#state.source !== source) this.#set({ source });
  }

  #takeTraits({ run, status, config }: Traits): void {
    const [moved, wasAnonymous] = [run.server?.url !== this.#state.run.server?.url, this.#state.run.anonymous];
    this.#set({ status, config });
    this.#takeRun(run);
    if (typeof status.server_time_offset_ms === "number" && !this.#measured) {
      this.#set({ clockOffsetMs: status.server_time_offset_ms });
    }
    if (moved) {
      this.#reaching = null;
      void this.reached();
    }
    if (wasAnonymous && !run.anonymous) void this.#learnAccount();
  }

  #takeSecrets(view: string | null, claim: string | null): void {
    this.#secrets = { view: view ?? this.#secrets.view, claim };
    const has = { view: Boolean(this.#secrets.view), claim: Boolean(claim) };
    if (has.view !== this.#state.has.view || has.claim !== this.#state.has.claim) this.#set({ has });
  }

  #takeRun(run: Partial<RunTrait>): void {
    const known = { ...this.#state.run, ...run };
    this.#set({ run: known, wasAnonymous: this.#state.wasAnonymous || known.anonymous });
  }

  #isOver(): boolean {
    const { run, status, gone } = this.#state;
    const state = status.state ?? run.state;
    return gone !== null || state === "finished" || state === "failed";
  }

  /** Once a second: has the kernel fallen silent, and who speaks instead? */
  #look(): void {
    if (document.hidden) return;
    if (this.#isOver()) {
      if (this.#state.source !== "over") this.#set({ source: "over" });
      this.#stopFeed();
      return;
    }
    if (this.#kernel.attached && Date.now() - this.#state.heardAt < SILENCE_MS) return;
    if (this.#feed || Date.now() < this.#feedNotBefore) return;
    if (this.#state.source === "kernel") this.#set({ source: "nobody" });
    void this.#startFeed();
  }

  async #startFeed(): Promise<void> {
    const server = await this.reached();
    if (!server?.answers || this.#feed || this.#isOver()) return;
    const feed = new Feed(
      this.#client(server.base, () => this.#secrets.view),
      this.runId,
    );
    this.#feed = feed;
    this.#unfeed = feed.subscribe(() => this.#takeFeed(feed));
    void feed.follow();
  }

  #stopFeed(): void {
    if (!this.#feed) return;
    this.#feed.stop();
    this.#unfeed();
    this.#feed = null;
    if (this.#kernel.attached) this.#set({ history: this.#kernel.history });
  }

  #takeFeed(feed: Feed): void {
    const { run, link, problem, loaded, clockOffsetMs } = feed.state;
    if (problem) {
      this.#takeProblem(problem);
      return;
    }
    // The server may have less than the page: what the kernel did not deliver is not there.
    if (loaded && feed.history.points >= this.#kernel.history.points) this.#set({ history: feed.history });
    if (run) this.#takeServerRun(run, clockOffsetMs);
    const live = link === "live" || link === "idle";
    this.#set(live ? { source: "server", heardAt: Date.now() } : { source: "nobody" });
  }

  #takeServerRun(run: RunInfo, clockOffsetMs: number): void {
    this.#measured = true;
    const state = this.#kernel.attached ? this.#state.status : { ...this.#state.status, state: run.state };
    this.#set({ clockOffsetMs, status: state });
    this.#takeRun(run);
  }

  #takeProblem({ code, expired_at, moved_to }: Problem): void {
    if (code === "run_claimed") {
      this.#end({ why: "claimed", account: null });
      void this.#learnAccount();
    } else if (code === "run_expired") {
      this.#end({ why: "expired", at: expired_at ? new Date(expired_at) : null });
    } else if (code === "run_deleted") this.#end({ why: "deleted" });
    else if (code === "run_moved") this.#end({ why: "moved", to: moved_to ?? null });
    else {
      this.#feedNotBefore = Date.now() + RETRY_SERVER_MS;
      this.#stopFeed();
    }
  }

  /** The run is no longer this page's to follow on the server; a kernel goes on being heard. */
  #end(gone: Gone): void {
    this.#set({ gone });
    this.#watch.stop();
    this.#stopFeed();
  }

  /** One look for `ClaimWatch`. Returns whether there is more to wait for. */
  async #askWhoseItIs(): Promise<boolean> {
    if (this.#state.gone || !this.#state.run.anonymous) return false;
    const server = await this.reached();
    if (!server?.answers || !this.#secrets.view) return true;
    const answer = await this.#client(server.base, () => this.#secrets.view).run(this.runId);
    if (answer.ok) this.#takeServerRun(answer.value, Date.parse(answer.value.server_time) - Date.now());
    else this.#takeProblem(answer.problem);
    return this.#state.gone === null && this.#state.run.anonymous;
  }

  /** The view token ended with the claim; whoever is signed in here may still read the run. */
  async #learnAccount(): Promise<void> {
    const server = await this.reached();
    const answer = server && (await this.#client(server.base, () => null).run(this.runId));
    if (!answer?.ok) return;
    this.#takeRun(answer.value);
    this.#set({ gone: { why: "claimed", account: answer.value.account } });
  }
}

/**
 * One run, followed: what it is, its history, and how fresh that is.
 *
 * First paint comes from `/sampled`, then `/live` goes on from the same position, so that nothing is missed or drawn
 * twice. A lost connection is taken up again from the last position; a tab that nobody sees lets go of it, since a
 * browser allows one server six.
 */
import type { Client, LiveHandlers, Problem, Result, RunInfo } from "../api";
import { History } from "./history";

/** `idle`: nothing is expected to change; `again`: the run is read again now and then. */
export type Link = "opening" | "live" | "again" | "lost" | "idle";

export interface FeedState {
  readonly run: RunInfo | null;
  readonly link: Link;
  /** Whether the points are there; until then charts say that they are being read. */
  readonly loaded: boolean;
  /** Why there is nothing to show, or no more: the run is gone, or was never let in on. */
  readonly problem: Problem | null;
  /** Server's clock minus this browser's, in milliseconds. */
  readonly clockOffsetMs: number;
}

/** What a feed asks of the server. */
export type FeedClient = Pick<Client, "run" | "sampled" | "live">;

export interface FeedOptions {
  /** Wait `ms`, or less where `signal` says so. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly now?: () => number;
  /** About how many points of each series are read at first. */
  readonly points?: number;
  /** Shared with other feeds of the page, where there are several. */
  readonly streams?: Streams;
}

/**
 * How many event streams a page keeps open: a browser allows one server six connections, and the page needs some itself.
 * A feed that gets none reads its run again now and then.
 */
export class Streams {
  #free: number;

  constructor(most: number) {
    this.#free = most;
  }

  /** Whether one more may be opened; if so, it is given back by `release`. */
  take(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  release(): void {
    this.#free += 1;
  }
}

const SAMPLED_POINTS = 1_000;
const AGAIN_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Whether a refusal is final: the server knows and says no. Anything else may pass. */
function isFinal(problem: Problem): boolean {
  return problem.status >= 400 && problem.status < 500 && problem.status !== 408 && problem.status !== 429;
}

export class Feed {
  readonly history = new History();
  readonly #client: FeedClient;
  readonly #runId: string;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #now: () => number;
  readonly #points: number;
  readonly #streams: Streams;
  readonly #listeners = new Set<() => void>();
  #state: FeedState = { run: null, link: "opening", loaded: false, problem: null, clockOffsetMs: 0 };
  #position: number | null = null;
  #following: AbortController | null = null;

  constructor(client: FeedClient, runId: string, options: FeedOptions = {}) {
    this.#client = client;
    this.#runId = runId;
    this.#wait = options.wait ?? pause;
    this.#now = options.now ?? (() => Date.now());
    this.#points = options.points ?? SAMPLED_POINTS;
    this.#streams = options.streams ?? new Streams(1);
  }

  get state(): FeedState {
    return this.#state;
  }

  /** Call `listener` after each change of `state`; returns what ends that. The history tells of its own changes. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begin, or take up again after `stop`. Resolves when there is nothing more to follow. */
  async follow(): Promise<void> {
    this.stop();
    const mine = new AbortController();
    this.#following = mine;
    let retryMs = FIRST_RETRY_MS;
    while (!mine.signal.aborted) {
      const before = this.#position;
      const answer = await this.#once(mine.signal);
      if (mine.signal.aborted) return;
      if (!answer.ok && isFinal(answer.problem)) return this.#set({ problem: answer.problem, link: "idle" });
      if (answer.ok && this.#isOver()) return this.#set({ link: "idle" });
      if (answer.ok && this.#position !== before) retryMs = FIRST_RETRY_MS;
      if (answer.ok && this.#state.link === "again") continue;
      this.#set({ link: "lost" });
      await this.#wait(retryMs, mine.signal);
      retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
    }
  }

  /** Let go of the connection; what was read stays. */
  stop(): void {
    this.#following?.abort();
    this.#following = null;
  }

  /** Take in what was learned of the run elsewhere, such as from an answer to a change. */
  take(run: RunInfo): void {
    this.#set({ run, clockOffsetMs: Date.parse(run.server_time) - this.#now() });
  }

  async #once(signal: AbortSignal): Promise<Result<void>> {
    const run = await this.#client.run(this.#runId, signal);
    if (!run.ok) return run;
    if (signal.aborted) return { ok: true, value: undefined };
    this.take(run.value);
    const over = this.#isOver();
    // Of a run that is over no connection is held, so what came meanwhile is read as a whole.
    const streaming = !over && this.#streams.take();
    try {
      if (!streaming || this.#position === null) {
        const sampled = await this.#client.sampled(this.#runId, { points: this.#points }, signal);
        if (!sampled.ok) return sampled;
        if (signal.aborted) return { ok: true, value: undefined };
        this.history.replaceSampled(sampled.value);
        this.#position = sampled.value.position;
        this.#set({ loaded: true });
      }
      if (over) return { ok: true, value: undefined };
      if (streaming) return await this.#client.live(this.#runId, this.#position, this.#handlers(), signal);
    } finally {
      if (streaming) this.#streams.release();
    }
    this.#set({ link: "again" });
    await this.#wait(AGAIN_MS, signal);
    return { ok: true, value: undefined };
  }

  #handlers(): LiveHandlers {
    return {
      open: () => this.#set({ link: "live" }),
      run: (run) => this.take(run),
      gone: (problem) => this.#set({ problem, link: "idle" }),
      points: (segments, position) => {
        this.#position = position;
        this.history.append(segments.flatMap((segment) => segment.frames));
      },
    };
  }

  #isOver(): boolean {
    const { run, problem } = this.#state;
    return problem !== null || run === null || run.state === "finished" || run.state === "failed";
  }

  #set(change: Partial<FeedState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

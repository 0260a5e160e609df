/**
 * Whether the list of runs has changed, heard over one stream for all parts of a page.
 *
 * While there is no stream, whoever listens is told to look every few seconds instead; with one, seldom, since a run's
 * expiry makes no news. A tab that nobody sees holds no connection, and is told to look when it is seen again.
 */
import type { Client } from "../api";

const POLL_MS = 5_000;
const SELDOM_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

type NewsClient = Pick<Client, "liveRuns">;

/** What a page is seen by: the document, or a test's own. */
export interface Sight {
  readonly visibilityState: string;
  addEventListener(type: "visibilitychange", listener: () => void): void;
  removeEventListener(type: "visibilitychange", listener: () => void): void;
}

export class RunNews {
  readonly #client: NewsClient;
  readonly #sight: Sight;
  readonly #listeners = new Set<() => void>();
  #open = false;
  #following: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;

  constructor(client: NewsClient, sight: Sight) {
    this.#client = client;
    this.#sight = sight;
  }

  /** Call `listener` whenever it is time to look; returns what ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) {
      this.#sight.addEventListener("visibilitychange", this.#look);
      this.#begin();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#sight.removeEventListener("visibilitychange", this.#look);
      this.#end();
    };
  }

  readonly #look = () => {
    if (this.#sight.visibilityState !== "visible") return this.#end();
    this.#tell();
    this.#begin();
  };

  #begin(): void {
    if (this.#following || this.#sight.visibilityState !== "visible") return;
    const mine = new AbortController();
    this.#following = mine;
    void this.#follow(mine.signal);
    this.#tick();
  }

  #end(): void {
    this.#following?.abort();
    this.#following = null;
    this.#open = false;
    clearTimeout(this.#timer);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #tick(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#tell();
        this.#tick();
      },
      this.#open ? SELDOM_MS : POLL_MS,
    );
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const heard = {
      open: () => {
        this.#open = true;
        this.#retryMs = FIRST_RETRY_MS;
        this.#tell(); // of what was missed until now
        this.#tick();
      },
      runs: () => this.#tell(),
    };
    while (!signal.aborted) {
      await this.#client.liveRuns(heard, signal);
      if (signal.aborted) return;
      this.#open = false;
      this.#tick();
      await new Promise((resolve) => setTimeout(resolve, this.#retryMs));
      this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS);
    }
  }
}

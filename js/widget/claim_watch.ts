/**
 * Finds out that a run was claimed without being told by the kernel: asks when the reader comes back to
 * this page, when a page of the same server says so, and every few seconds for a while after they have
 * gone off to claim.
 */

/** Where the server's own pages say what they have claimed; heard if they share this page's origin. */
const CHANNEL = "anonrun";

const FIRST_MS = 5_000;
const LAST_MS = 30_000;
const PATIENCE_MS = 15 * 60_000;
/** Coming back to the page may fire several events at once. */
const AT_LEAST_MS = 1_000;

export class ClaimWatch {
  readonly #ask: () => Promise<boolean>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitMs = FIRST_MS;
  #until = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #channel: BroadcastChannel | null = null;
  readonly #back = () => {
    if (!document.hidden && Date.now() - this.#askedAt >= AT_LEAST_MS) void this.#look();
  };

  /** `ask` looks once and says whether there is more to wait for. */
  constructor(ask: () => Promise<boolean>) {
    this.#ask = ask;
  }

  start(): void {
    window.addEventListener("focus", this.#back);
    document.addEventListener("visibilitychange", this.#back);
    this.#channel ??= new BroadcastChannel(CHANNEL);
    this.#channel.onmessage = () => void this.#look();
  }

  stop(): void {
    window.removeEventListener("focus", this.#back);
    document.removeEventListener("visibilitychange", this.#back);
    this.#channel?.close();
    this.#channel = null;
    clearTimeout(this.#timer);
    this.#until = 0;
  }

  /** The reader has gone off to claim. */
  expect(): void {
    this.#until = Date.now() + PATIENCE_MS;
    this.#waitMs = FIRST_MS;
    this.#again();
  }

  async #look(): Promise<void> {
    this.#askedAt = Date.now();
    if (await this.#ask()) this.#again();
    else this.stop();
  }

  #again(): void {
    clearTimeout(this.#timer);
    if (Date.now() >= this.#until) return;
    this.#timer = setTimeout(() => !document.hidden && void this.#look(), this.#waitMs);
    this.#waitMs = Math.min(1.4 * this.#waitMs, LAST_MS);
  }
}

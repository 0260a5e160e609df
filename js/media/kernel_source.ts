/**
 * Media that a notebook's kernel sent, as a store reads them: what each is, and the contents of the newest in memory.
 *
 * An item is taken in once, however often it is sent. A content that was let go is asked for elsewhere.
 */
import type { MediaInfo, MediaPage, Result } from "../api";
import { Lru } from "./lru";
import type { MediaClient } from "./store";

const MOST_BYTES = 64 << 20;

export class KernelSource implements MediaClient {
  readonly #elsewhere: () => Promise<MediaClient | null>;
  readonly #items: MediaInfo[] = [];
  readonly #known = new Set<string>();
  readonly #contents: Lru<Blob>;

  /** `elsewhere` gives a server that may have what is not here; null where none answers. */
  constructor(elsewhere: () => Promise<MediaClient | null>, most = MOST_BYTES) {
    this.#elsewhere = elsewhere;
    this.#contents = new Lru(most);
  }

  /** How many items came. */
  get count(): number {
    return this.#items.length;
  }

  /** Take in items, and the content of each in the same place. */
  take(items: readonly MediaInfo[], contents: readonly DataView[]): void {
    for (const [i, item] of items.entries()) {
      const content = contents[i];
      if (!content || this.#known.has(item.media_id)) continue;
      this.#known.add(item.media_id);
      // A kernel that goes on with a run after a restart counts anew.
      this.#items.push({ ...item, position: this.count + 1 });
      const bytes = new Blob([content as DataView<ArrayBuffer>], { type: item.type });
      this.#contents.put(item.media_id, bytes, bytes.size);
    }
  }

  async media(_runId: string, { after = 0 }: { after?: number } = {}): Promise<Result<MediaPage>> {
    const position = this.count;
    const items = await Promise.all(
      this.#items.slice(after, position).map(async (item): Promise<MediaInfo> => {
        const bytes = item.kind === "image" ? undefined : this.#contents.get(item.media_id);
        return { ...item, content: bytes ? await bytes.text() : null };
      }),
    );
    return { ok: true, value: { items, position, end: true } };
  }

  async mediaContent(runId: string, mediaId: string): Promise<Result<Blob>> {
    const held = this.#contents.get(mediaId);
    if (held) return { ok: true, value: held };
    const server = await this.#elsewhere();
    if (server) return server.mediaContent(runId, mediaId);
    const detail = "This page keeps the newest media only, and the server that has all of them does not answer.";
    return { ok: false, problem: { type: "about:blank", title: "Not here", status: 0, code: "unreachable", detail } };
  }
}

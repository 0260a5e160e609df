/**
 * The media of one run: what there is, and its contents as far as these are looked at.
 *
 * Items are read in order of arrival and read on from the last position when the run says that there are more. What an
 * item is stays; contents are many times larger, so that only those that were used last do, and others are asked for
 * again. Invariant: an item is taken in once, whatever is read twice.
 */
import type { Client, MediaInfo, MediaKind, Problem, Result } from "../api";
import { Group, type Item } from "./groups";
import { histogramIn, Track } from "./histogram";
import { Log } from "./log";
import { Lru } from "./lru";

/** What a store asks of the server. */
export type MediaClient = Pick<Client, "media" | "mediaContent">;

export interface MediaStoreOptions {
  /** Of contents that are kept, in characters. */
  readonly mostText?: number;
  /** Of pictures that are kept, in bytes. */
  readonly mostPictures?: number;
  readonly urls?: Pick<typeof URL, "createObjectURL" | "revokeObjectURL">;
}

const MOST_TEXT = 24 << 20;
const MOST_PICTURES = 48 << 20;

export class MediaStore {
  readonly runId: string;
  readonly log = new Log();
  readonly #client: MediaClient;
  readonly #urls: Pick<typeof URL, "createObjectURL" | "revokeObjectURL">;
  readonly #groups = new Map<string, Group>();
  readonly #tracks = new Map<Group, Track>();
  readonly #texts: Lru<string>;
  readonly #pictures: Lru<string>;
  readonly #asked = new Map<string, Promise<Result<string>>>();
  readonly #listeners = new Set<() => void>();
  #position = 0;
  #wanted = 0;
  #reading = false;
  #again = false;
  #read = false;
  #problem: Problem | null = null;
  #version = 0;

  constructor(client: MediaClient, runId: string, options: MediaStoreOptions = {}) {
    this.#client = client;
    this.runId = runId;
    this.#urls = options.urls ?? URL;
    this.#texts = new Lru(options.mostText ?? MOST_TEXT);
    this.#pictures = new Lru(options.mostPictures ?? MOST_PICTURES, (url) => this.#urls.revokeObjectURL(url));
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  /** Panels in order of first appearance; what the program printed is `log`. */
  get groups(): readonly Group[] {
    return [...this.#groups.values()];
  }

  /** Whether all there was has been read once. */
  get loaded(): boolean {
    return this.#read;
  }

  /** Why reading stopped; null while it goes on or is done. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** Call `listener` after each change; returns what ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Read what the run has, which says that it is `count` items; what is there already is not asked for again. */
  async readTo(count: number): Promise<void> {
    if (count <= this.#wanted && !this.#problem) return;
    this.#wanted = Math.max(this.#wanted, count);
    // What came while a page was on its way may not be in it.
    if (this.#reading) this.#again = true;
    else if (this.#position < this.#wanted) await this.readOn();
  }

  /** Read what there is after the last position; also after a failure. */
  async readOn(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    this.#problem = null;
    try {
      for (let end = false; !end; ) {
        const page = await this.#client.media(this.runId, { after: this.#position });
        if (!page.ok) {
          this.#problem = page.problem;
          return;
        }
        this.#take(page.value.items);
        // A page may have nothing for this reader, and still not be the last.
        end = (page.value.end || page.value.position <= this.#position) && !this.#again;
        this.#again = false;
        this.#position = Math.max(this.#position, page.value.position);
        this.#changed();
      }
      this.#read = true;
    } finally {
      this.#reading = false;
      this.#changed();
    }
  }

  /** The columns of a group's heat map. */
  trackOf(group: Group): Track {
    return this.#tracks.get(group) ?? new Track();
  }

  /** Return an item's text if it is at hand. */
  heldText(item: Item): string | undefined {
    return this.#texts.get(item.media_id);
  }

  /** Return an item's text, asked for anew where it was let go. */
  async text(item: Item): Promise<Result<string>> {
    const held = this.heldText(item);
    if (held !== undefined) return { ok: true, value: held };
    return this.#once(item, async (bytes) => {
      const text = await bytes.text();
      this.#texts.put(item.media_id, text, text.length);
      return text;
    });
  }

  /** Return the address of a picture if it is at hand. */
  heldPicture(item: Item): string | undefined {
    return this.#pictures.get(item.media_id);
  }

  /** Return an address of a picture within this page; it may end when many others were looked at since. */
  async picture(item: Item): Promise<Result<string>> {
    const held = this.heldPicture(item);
    if (held !== undefined) return { ok: true, value: held };
    return this.#once(item, async (bytes) => {
      const url = this.#urls.createObjectURL(new Blob([bytes], { type: item.type }));
      this.#pictures.put(item.media_id, url, bytes.size);
      return url;
    });
  }

  /** Return all that the program printed, from the server. */
  async wholeLog(): Promise<Result<string[]>> {
    const pieces: string[] = [];
    for (let [after, end] = [0, false]; !end; ) {
      const page = await this.#client.media(this.runId, { after, kind: "console" });
      if (!page.ok) return page;
      pieces.push(...page.value.items.map(({ content }) => content ?? ""));
      end = page.value.end || page.value.position <= after;
      after = page.value.position;
    }
    return { ok: true, value: pieces };
  }

  /** Let go of all contents; the store may be used on. */
  close(): void {
    this.#texts.clear();
    this.#pictures.clear();
  }

  /** Ask for a content once, however many want it at the same time. */
  #once(item: Item, taken: (bytes: Blob) => Promise<string>): Promise<Result<string>> {
    const asked = this.#asked.get(item.media_id);
    if (asked) return asked;
    const answer = this.#client.mediaContent(this.runId, item.media_id).then(async (got): Promise<Result<string>> => {
      this.#asked.delete(item.media_id);
      return got.ok ? { ok: true, value: await taken(got.value) } : got;
    });
    this.#asked.set(item.media_id, answer);
    return answer;
  }

  #take(items: readonly MediaInfo[]): void {
    for (const { content, ...item } of items) {
      if (item.position <= this.#position) continue;
      if (item.kind === "console") {
        this.log.push(content ?? "");
        continue;
      }
      const group = this.#groupOf(item.kind, item.key);
      group.add(item);
      if (content === null) continue;
      this.#texts.put(item.media_id, content, content.length);
      const histogram = item.kind === "histogram" ? histogramIn(content) : null;
      if (histogram) this.#tracks.get(group)?.push(item.step, histogram);
    }
  }

  #groupOf(kind: MediaKind, key: string): Group {
    const name = `${kind} ${key}`;
    const known = this.#groups.get(name);
    if (known) return known;
    const group = new Group(kind, key);
    this.#groups.set(name, group);
    if (kind === "histogram") this.#tracks.set(group, new Track());
    return group;
  }

  #changed(): void {
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}

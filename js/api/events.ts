/**
 * Reads Server-Sent Events from a `fetch` answer. The browser's own EventSource cannot send an
 * Authorization header, and a token must not stand in a URL.
 */

export interface ServerEvent {
  /** `message` where the stream names none. */
  readonly type: string;
  readonly data: string;
  /** The last id that the stream named, or "". */
  readonly id: string;
}

/** Takes the text of a stream in any pieces and returns the events that each piece completes. */
export class EventParser {
  #rest = "";
  #type = "";
  #data: string[] = [];
  #id = "";

  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() as string;
    for (const line of lines) {
      if (line === "") {
        if (this.#data.length) {
          events.push({ type: this.#type || "message", data: this.#data.join("\n"), id: this.#id });
        }
        this.#type = "";
        this.#data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") this.#type = value;
      else if (field === "data") this.#data.push(value);
      else if (field === "id") this.#id = value;
    }
    return events;
  }
}

/** Yield the events of `response` until it ends; breaking off the loop closes it. */
export async function* readEvents(response: Response): AsyncGenerator<ServerEvent> {
  if (!response.body) return;
  const parser = new EventParser();
  const text = new TextDecoder();
  const reader = response.body.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      yield* parser.push(text.decode(part.value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined); // ended or aborted: nothing is left to close
  }
}

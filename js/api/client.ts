/**
 * Speaks to `/api/v1/` of one server. An expected refusal is a value (`Failure`), never an exception:
 * a server that cannot be reached is the problem `unreachable` with status 0.
 *
 * A token goes into the Authorization header only; without one, the browser's cookie speaks.
 */

import { decodeSegments, type Segment } from "./decode";
import { readEvents, type ServerEvent } from "./events";
import type {
  MediaKind,
  MediaPage,
  MetricInfo,
  Problem,
  RunArtifacts,
  RunInfo,
  RunList,
  SampledSeries,
  ServerInfo,
} from "./types";

export interface Success<T> {
  readonly ok: true;
  readonly value: T;
}
export interface Failure {
  readonly ok: false;
  readonly problem: Problem;
}
export type Result<T> = Success<T> | Failure;

export interface ClientOptions {
  /** Root of the server, with a trailing slash: an absolute URL or a path prefix such as `/user/a/anonrun/`. */
  readonly base: string;
  /** The token to show, asked for at each request; null or absent: the cookie. */
  readonly token?: () => string | null;
  readonly fetch?: typeof fetch;
}

/** What `live` hears; the stream ends after `gone`. */
export interface LiveHandlers {
  points(segments: Segment[], position: number): void;
  run(run: RunInfo): void;
  gone(problem: Problem): void;
  /** Called when the server has answered, before the first event. */
  open?(): void;
}

export interface SampledOptions {
  readonly metrics?: readonly string[];
  readonly points?: number;
  /** `step` (if absent), `relative`, `wall`, or `metric:` and a name. */
  readonly x?: string;
  readonly start?: number;
  readonly end?: number;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

function problem(status: number, code: string, title: string, detail: string): Failure {
  return { ok: false, problem: { type: "about:blank", status, code, title, detail } };
}

async function refusal(response: Response): Promise<Failure> {
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("application/problem+json")) {
    try {
      return { ok: false, problem: (await response.json()) as Problem };
    } catch {
      // Cut off on the way: what the status says is left.
    }
  }
  const detail = `The server answered ${response.status} without saying why.`;
  return problem(response.status, "unexpected_answer", "Unexpected answer", detail);
}

export class Client {
  readonly base: string;
  readonly #token: () => string | null;
  readonly #fetch: typeof fetch;

  constructor(options: ClientOptions) {
    this.base = options.base;
    this.#token = options.token ?? (() => null);
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /** GET, POST … a path below `/api/v1/`; what it answers is read as JSON (204: undefined). */
  async request<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<Result<T>> {
    const answer = await this.#send(method, path, { body, signal, accept: "application/json" });
    if (!answer.ok) return answer;
    if (answer.value.status === 204) return { ok: true, value: undefined as T };
    try {
      return { ok: true, value: (await answer.value.json()) as T };
    } catch {
      return problem(answer.value.status, "unexpected_answer", "Unexpected answer", "The answer is not JSON.");
    }
  }

  server(): Promise<Result<ServerInfo>> {
    return this.request("GET", "server");
  }

  runs(options: { project?: string; limit?: number; after?: string } = {}): Promise<Result<RunList>> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options)) if (value !== undefined) query.set(name, String(value));
    return this.request("GET", `runs${query.size ? `?${query}` : ""}`);
  }

  run(runId: string, signal?: AbortSignal): Promise<Result<RunInfo>> {
    return this.request("GET", `runs/${encodeURIComponent(runId)}`, undefined, signal);
  }

  /** Delete a run at once, for good. */
  deleteRun(runId: string): Promise<Result<void>> {
    return this.request("DELETE", `runs/${encodeURIComponent(runId)}`);
  }

  /** What a run logged, with files, and what it used. */
  artifacts(runId: string): Promise<Result<RunArtifacts>> {
    return this.request("GET", `runs/${encodeURIComponent(runId)}/artifacts`);
  }

  metrics(runId: string): Promise<Result<MetricInfo[]>> {
    return this.request("GET", `runs/${encodeURIComponent(runId)}/metrics`);
  }

  /** Every point of these metrics, or of all. */
  async series(runId: string, metrics: readonly string[] = [], signal?: AbortSignal): Promise<Result<Segment[]>> {
    const query = new URLSearchParams(metrics.map((name) => ["metric", name]));
    const path = `runs/${encodeURIComponent(runId)}/series${query.size ? `?${query}` : ""}`;
    const answer = await this.#send("GET", path, { signal, accept: "application/vnd.anonrun.segment" });
    if (!answer.ok) return answer;
    try {
      return { ok: true, value: await decodeSegments(await answer.value.arrayBuffer()) };
    } catch (error) {
      return problem(answer.value.status, "segment_damaged", "Damaged data", String(error));
    }
  }

  /** Series reduced to about `points` buckets each, extremes kept. */
  sampled(runId: string, options: SampledOptions = {}, signal?: AbortSignal): Promise<Result<SampledSeries>> {
    const query = new URLSearchParams((options.metrics ?? []).map((name) => ["metric", name]));
    for (const name of ["points", "x", "start", "end"] as const) {
      if (options[name] !== undefined) query.set(name, String(options[name]));
    }
    return this.request("GET", `runs/${encodeURIComponent(runId)}/sampled?${query}`, undefined, signal);
  }

  /** Items of media in order of arrival, from behind position `after` on; of one kind where that is said. */
  media(
    runId: string,
    options: { after?: number; kind?: MediaKind } = {},
    signal?: AbortSignal,
  ): Promise<Result<MediaPage>> {
    const query = new URLSearchParams(Object.entries(options).map(([name, value]) => [name, String(value)]));
    return this.request("GET", `runs/${encodeURIComponent(runId)}/media?${query}`, undefined, signal);
  }

  /** The content of one item: a picture's bytes, or a text's in UTF-8. */
  mediaContent(runId: string, mediaId: string): Promise<Result<Blob>> {
    return this.#file(`runs/${encodeURIComponent(runId)}/media/${encodeURIComponent(mediaId)}`);
  }

  /** The whole run as a file. */
  exportRun(runId: string, format: "csv" | "json"): Promise<Result<Blob>> {
    return this.#file(`runs/${encodeURIComponent(runId)}/export?format=${format}`);
  }

  async #file(path: string): Promise<Result<Blob>> {
    const answer = await this.#send("GET", path, { accept: "*/*" });
    if (!answer.ok) return answer;
    try {
      return { ok: true, value: await answer.value.blob() };
    } catch (error) {
      return problem(0, "unreachable", "Connection lost", String(error));
    }
  }

  /**
   * Follow a run from `after` until the stream ends, `signal` aborts or the run is gone.
   *
   * Returns the reason where the server refused or could not be reached; ok when the stream just ended.
   */
  async live(runId: string, after: number, handlers: LiveHandlers, signal: AbortSignal): Promise<Result<void>> {
    const path = `runs/${encodeURIComponent(runId)}/live?after=${after}`;
    return this.#stream(path, signal, handlers.open, (event) => dispatch(event, handlers));
  }

  /** Follow the list of runs until the stream ends or `signal` aborts; `runs` is called when it has changed. */
  async liveRuns(handlers: { open(): void; runs(): void }, signal: AbortSignal): Promise<Result<void>> {
    return this.#stream("live", signal, handlers.open, async (event) => {
      if (event.type === "runs") handlers.runs();
    });
  }

  async #stream(
    path: string,
    signal: AbortSignal,
    open: (() => void) | undefined,
    hear: (event: ServerEvent) => Promise<void>,
  ): Promise<Result<void>> {
    const answer = await this.#send("GET", path, { signal, accept: "text/event-stream" });
    if (!answer.ok) return answer;
    open?.();
    try {
      for await (const event of readEvents(answer.value)) await hear(event);
    } catch (error) {
      if (!signal.aborted) return problem(0, "unreachable", "Connection lost", String(error));
    }
    return { ok: true, value: undefined };
  }

  async #send(
    method: Method,
    path: string,
    options: { body?: unknown; signal?: AbortSignal | undefined; accept: string },
  ): Promise<Result<Response>> {
    const headers: Record<string, string> = { Accept: options.accept };
    const token = this.#token();
    if (token) headers.Authorization = `Bearer ${token}`;
    // Writes by cookie are refused without this type, which no foreign form can send (R13).
    if (method !== "GET") headers["Content-Type"] = "application/json";
    // The cookie goes along with a token too: behind Jupyter's proxy it is what lets the request pass.
    const init: RequestInit = { method, headers, cache: "no-store", credentials: "same-origin" };
    if (options.body !== undefined) init.body = JSON.stringify(options.body);
    if (options.signal) init.signal = options.signal;
    try {
      const response = await this.#fetch(`${this.base}api/v1/${path}`, init);
      return response.ok ? { ok: true, value: response } : await refusal(response);
    } catch {
      const detail = "The server cannot be reached. Is it running?";
      return problem(0, "unreachable", "No connection", detail);
    }
  }
}

async function dispatch(event: ServerEvent, handlers: LiveHandlers): Promise<void> {
  if (event.type === "points") {
    const bytes = Uint8Array.from(atob(event.data), (character) => character.charCodeAt(0));
    handlers.points(await decodeSegments(bytes), Number(event.id));
  } else if (event.type === "run") handlers.run(JSON.parse(event.data) as RunInfo);
  else if (event.type === "gone") handlers.gone(JSON.parse(event.data) as Problem);
}

/** Requests of these pages. What the client gives back as a failed result becomes an exception here, which a page shows. */
import { Client, type Problem, type Result } from "../api";

/** Why the server, or the way to it, said no: a stable code and a sentence for people. */
export class Refusal extends Error {
  override name = "Refusal";
  readonly status: number;
  readonly code: string;
  /** With `run_expired`: when. */
  readonly expiredAt: string | null;
  /** With `run_moved`: the server where the run is, where that is told. */
  readonly movedTo: string | null;

  constructor({
    status,
    code,
    detail,
    expired_at,
    moved_to,
  }: Pick<Problem, "status" | "code" | "detail" | "expired_at" | "moved_to">) {
    super(detail);
    this.status = status;
    this.code = code;
    this.expiredAt = expired_at ?? null;
    this.movedTo = moved_to ?? null;
  }
}

/** Return what can be said about any failure. */
export function asRefusal(reason: unknown): Refusal {
  if (reason instanceof Refusal) return reason;
  return new Refusal({
    status: 0,
    code: "page_failed",
    detail: `This page met an error: ${String(reason)}. Reload it.`,
  });
}

/** Return the value of a result, or throw its problem. */
export async function answerOf<T>(result: Promise<Result<T>>): Promise<T> {
  const answer = await result;
  if (!answer.ok) throw new Refusal(answer.problem);
  return answer.value;
}

export type Send = <T>(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown) => Promise<T>;

/** Return the client of the server below `prefix`; the cookie speaks for this browser. */
export function clientAt(prefix: string): Client {
  return new Client({ base: `${prefix}/` });
}

/** Return a function that sends JSON to a path below `/api/v1/`. */
export function sender(client: Client): Send {
  return <T>(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown) =>
    answerOf(client.request<T>(method, path, method === "POST" ? (body ?? {}) : body));
}

/** The content of an item while it is away, there, refused, or not what it should be: each says so. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Result } from "../api";

export type Content<T> =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly why: string; again(): void }
  | { readonly state: "there"; readonly value: T };

/**
 * Return a content: at once where it is at hand, else when it has come.
 *
 * `key` names what is asked for; while another one is on its way the one before is shown, so that nothing flickers.
 */
export function useContent<T>(key: string, held: () => T | undefined, ask: () => Promise<Result<T>>): Content<T> {
  const [tries, setTries] = useState(0);
  const [got, setGot] = useState<{ key: string; content: Content<T> } | null>(null);
  const at = held();
  useEffect(() => {
    if (at !== undefined) return setGot({ key, content: { state: "there", value: at } });
    let waiting = true;
    void ask().then((answer) => {
      if (!waiting) return;
      const again = () => {
        setGot(null);
        setTries((count) => count + 1);
      };
      const content: Content<T> = answer.ok
        ? { state: "there", value: answer.value }
        : { state: "failed", why: answer.problem.detail, again };
      setGot({ key, content });
    });
    return () => {
      waiting = false;
    };
  }, [key, tries]);
  if (at !== undefined) return { state: "there", value: at };
  if (!got) return { state: "loading" };
  return got.key === key || got.content.state === "there" ? got.content : { state: "loading" };
}

/** A sentence in the place of a picture. */
export function Remark({ children }: { readonly children: ComponentChildren }) {
  return <p class="anr-remark">{children}</p>;
}

interface AwaitedProps<T> {
  readonly name: string;
  readonly content: Content<T>;
  readonly children: (value: T) => ComponentChildren;
}

/** Draws a content, or says why there is none to draw. */
export function Awaited<T>({ name, content, children }: AwaitedProps<T>) {
  if (content.state === "there") return <>{children(content.value)}</>;
  if (content.state === "loading") {
    return (
      <Remark>
        <i class="anr-spinner" />
        Reading…
      </Remark>
    );
  }
  return (
    <Remark>
      {content.why}{" "}
      <button type="button" class="anr-quiet" aria-label={`Read ${name} again`} onClick={content.again}>
        Try again
      </button>
    </Remark>
  );
}

/** What is said of a content that no program of ours would have sent. */
export function Unreadable({ what }: { readonly what: string }) {
  return <Remark>This {what} cannot be read: what was stored is damaged, or was made by a newer version.</Remark>;
}

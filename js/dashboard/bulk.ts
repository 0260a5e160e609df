/** One act on several runs: each by itself, so that what cannot be done to one is done to the others. */
import { asRefusal } from "./http";

const AT_ONCE = 4;

export interface Failed<T> {
  readonly thing: T;
  readonly why: string;
}

/** Do `act` to each, a few at once; return those that failed, in their order. Tells how many are done as it goes. */
export async function each<T>(
  things: readonly T[],
  act: (thing: T) => Promise<unknown>,
  onDone: (done: number) => void = () => undefined,
): Promise<Failed<T>[]> {
  const why = new Map<number, string>();
  let [next, done] = [0, 0];
  const work = async () => {
    while (next < things.length) {
      const no = next++;
      try {
        await act(things[no] as T);
      } catch (reason) {
        why.set(no, asRefusal(reason).message);
      }
      onDone(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, things.length) }, work));
  return things.flatMap((thing, no) => (why.has(no) ? [{ thing, why: why.get(no) as string }] : []));
}

/** Return the tags that somebody wrote with commas between them. */
export function tagsIn(text: string): string[] {
  return [...new Set(text.split(",").map((tag) => tag.trim()))].filter(Boolean);
}

/** Return a run's tags with some more and some fewer; one that is in both goes. */
export function withTags(tags: readonly string[], more: readonly string[], fewer: readonly string[]): string[] {
  return [...new Set([...tags, ...more])].filter((tag) => !fewer.includes(tag));
}

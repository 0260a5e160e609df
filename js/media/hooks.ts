/** Draws again when a store has changed, at most so often. */

import { useEffect, useReducer } from "preact/hooks";
import type { MediaStore } from "./store";

const DRAW_EVERY_MS = 200;

/** Return the store's version; while not `wanted`, nothing is drawn again. */
export function useStore(store: MediaStore, wanted = true): number {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (!wanted) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        draw(undefined);
      }, DRAW_EVERY_MS);
    };
    const stop = store.subscribe(soon);
    draw(undefined); // it may have changed since the last drawing
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [store, wanted]);
  return store.version;
}

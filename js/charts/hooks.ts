/** What components need from the page: changes, sizes and visibility, each no oftener than it is drawn. */

import { useEffect, useReducer, useState } from "preact/hooks";
import type { History } from "./history";
import type { Theme } from "./palette";
import { currentTheme, watchTheme } from "./theme";

/** Curves that grow five times a second look alive; more would only cost the reader's battery. */
const DRAW_EVERY_MS = 200;

/** Draw again soon after `history` changed, in an animation frame and not too often. Returns its version. */
export function useHistory(history: History): number {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let [frame, drawnAt] = [0, Number.NEGATIVE_INFINITY];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const inFrame = () => {
      timer = undefined;
      frame = requestAnimationFrame((now) => {
        [frame, drawnAt] = [0, now];
        draw(undefined);
      });
    };
    const soon = () => {
      if (frame || timer !== undefined) return;
      const wait = drawnAt + DRAW_EVERY_MS - performance.now();
      if (wait > 0) timer = setTimeout(inFrame, wait);
      else inFrame();
    };
    const stop = history.subscribe(soon);
    soon();
    return () => {
      stop();
      clearTimeout(timer);
      cancelAnimationFrame(frame);
    };
  }, [history]);
  return history.version;
}

/** The page's theme, live. */
export function useTheme(): Theme {
  const [theme, setTheme] = useState(currentTheme);
  useEffect(() => {
    setTheme(currentTheme()); // it may have changed since the first drawing
    return watchTheme(setTheme);
  }, []);
  return theme;
}

/** Whether `host` is on the screen, or nearly. */
export function useVisible(host: { readonly current: Element | null }): boolean {
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => setVisible(entries.at(-1)?.isIntersecting ?? true), {
      rootMargin: "120px",
    });
    if (host.current) observer.observe(host.current);
    return () => observer.disconnect();
  }, []);
  return visible;
}

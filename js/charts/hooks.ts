/** What components need from the page: changes, sizes and visibility, each no oftener than it is drawn. */

import { useEffect, useReducer, useState } from "preact/hooks";
import type { History } from "./history";
import type { Theme } from "./palette";
import { currentTheme, watchTheme } from "./theme";

/** Draw again in the next animation frame after `history` changed. Returns its version. */
export function useHistory(history: History): number {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let frame = 0;
    const soon = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw(undefined);
      });
    };
    const stop = history.subscribe(soon);
    soon();
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [history]);
  return history.version;
}

/** The page's theme, live. */
export function useTheme(): Theme {
  const [theme, setTheme] = useState(currentTheme);
  useEffect(() => watchTheme(setTheme), []);
  return theme;
}

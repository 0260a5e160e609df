/** Where a reader's choices are kept while the page is away. */

import { useCallback, useState } from "preact/hooks";
import { type Choices, readChoices, writeChoices } from "./choices";

export interface Keeper {
  read(): string | null;
  write(text: string): void;
}

/** Keep them in a storage of the browser; one that is closed to us, or full, keeps nothing and harms nothing. */
export function inStorage(storage: () => Storage, key: string): Keeper {
  return {
    read() {
      try {
        return storage().getItem(key);
      } catch {
        return null;
      }
    },
    write(text) {
      try {
        storage().setItem(key, text);
      } catch {
        // Choices last as long as the page then.
      }
    },
  };
}

/** The reader's choices, and how to change them. */
export function useChoices(keeper: Keeper): readonly [Choices, (choices: Choices) => void] {
  const [choices, setChoices] = useState(() => readChoices(keeper.read()));
  const change = useCallback(
    (next: Choices) => {
      setChoices(next);
      keeper.write(writeChoices(next));
    },
    [keeper],
  );
  return [choices, change];
}

/** A choice of the reader's that this browser keeps. */
import { useCallback, useState } from "preact/hooks";
import type { Keeper } from "../../charts";

/** `read` makes sense of whatever is kept, or of nothing. */
export function useKept<T>(keeper: Keeper, read: (text: string | null) => T): readonly [T, (value: T) => void] {
  const [value, setValue] = useState(() => read(keeper.read()));
  const change = useCallback(
    (next: T) => {
      setValue(next);
      keeper.write(JSON.stringify(next));
    },
    [keeper],
  );
  return [value, change];
}

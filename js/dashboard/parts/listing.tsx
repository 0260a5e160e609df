/** The few things of a kind that an account or a run has: read from the server, a row each, with what can be done to it. */
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { asRefusal, type Refusal } from "../http";
import { Failed, Loading } from "./loading";
import { Scroll } from "./scroll";
import { useNow } from "./time";

export interface Listed<T> {
  /** Null until they were read. */
  readonly things: readonly T[] | null;
  readonly refusal: Refusal | null;
  /** Read them again. */
  readonly load: () => void;
}

/** `read` must stay the same function as long as it reads the same things. */
export function useListing<T>(read: () => Promise<readonly T[]>): Listed<T> {
  const [things, setThings] = useState<readonly T[] | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const load = useCallback(() => {
    setRefusal(null);
    read().then(setThings, (reason) => setRefusal(asRefusal(reason)));
  }, [read]);
  useEffect(load, [load]);
  return { things, refusal, load };
}

export interface Column<T> {
  readonly head: string;
  readonly of: (thing: T, nowMs: number) => ComponentChildren;
}

export interface Act<T> {
  readonly label: string;
  /** What a screen reader says of the button, which names the thing. */
  readonly named: (thing: T) => string;
  readonly act: (thing: T) => void;
  readonly unless?: (thing: T) => boolean;
}

export interface ListingProps<T> {
  readonly label: string;
  readonly listed: Listed<T>;
  readonly loading: string;
  /** Said where there is none; nothing is said without it. */
  readonly empty?: string;
  readonly keyOf: (thing: T) => string;
  /** The first one names the thing. */
  readonly columns: readonly Column<T>[];
  readonly acts: readonly Act<T>[];
}

export function Listing<T>(props: ListingProps<T>) {
  const { things, refusal, load } = props.listed;
  return (
    <>
      {refusal && <Failed refusal={refusal} onRetry={load} />}
      {!things && !refusal && <Loading what={props.loading} />}
      {things?.length === 0 && props.empty && <p class="empty">{props.empty}</p>}
      {things && things.length > 0 && <Rows {...props} things={things} />}
    </>
  );
}

function Rows<T>({ label, keyOf, columns, acts, things }: ListingProps<T> & { readonly things: readonly T[] }) {
  const nowMs = useNow(60_000);
  return (
    <Scroll label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ head }) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
            <th scope="col">
              <span class="unseen">actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {things.map((thing) => (
            <tr key={keyOf(thing)}>
              {columns.map(({ head, of }, i) =>
                i === 0 ? (
                  <th key={head} scope="row">
                    {of(thing, nowMs)}
                  </th>
                ) : (
                  <td key={head}>{of(thing, nowMs)}</td>
                ),
              )}
              <td class="number acts">
                {acts
                  .filter(({ unless }) => !unless?.(thing))
                  .map(({ label: name, named, act }) => (
                    <button key={name} type="button" class="quiet" onClick={() => act(thing)} aria-label={named(thing)}>
                      {name}
                    </button>
                  ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

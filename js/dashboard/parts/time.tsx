/** A moment, told relative to now, with the exact time in the reader's zone on hover and to machines. */
import { useEffect, useState } from "preact/hooks";
import { ago, exactTime, fullTime } from "../format";

/** Now, in milliseconds, told again every `everyMs`. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export function Ago({ at, nowMs }: { readonly at: string; readonly nowMs: number }) {
  return (
    <time dateTime={at} title={fullTime(at)}>
      {ago(at, nowMs)}
    </time>
  );
}

export function Exact({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={fullTime(at)}>
      {exactTime(at)}
    </time>
  );
}

/** Several runs, followed together while the tab is seen. */
import { useEffect, useReducer, useRef } from "preact/hooks";
import { Feed, Streams } from "../../charts/feed";
import { useShell } from "./context";

/** Of six connections that a browser allows one server, half are left for all else and for other tabs. */
const STREAMS = 3;
const POINTS = 400;

/** Return a feed for each id, in their order; the same one as long as its run is among them. */
export function useFeeds(ids: readonly string[]): readonly Feed[] {
  const { client } = useShell();
  const streams = useRef(new Streams(STREAMS));
  const held = useRef(new Map<string, Feed>());
  const [, draw] = useReducer((count: number) => count + 1, 0);
  for (const id of ids) {
    if (!held.current.has(id)) held.current.set(id, new Feed(client, id, { points: POINTS, streams: streams.current }));
  }
  const key = ids.join();
  useEffect(() => {
    const feeds = ids.map((id) => held.current.get(id) as Feed);
    for (const [id, feed] of held.current) {
      if (ids.includes(id)) continue;
      feed.stop();
      held.current.delete(id);
    }
    const ends = feeds.map((feed) => feed.subscribe(() => draw(undefined)));
    const look = () => {
      for (const feed of feeds) {
        if (document.visibilityState === "visible") void feed.follow();
        else feed.stop();
      }
    };
    document.addEventListener("visibilitychange", look);
    look();
    return () => {
      document.removeEventListener("visibilitychange", look);
      for (const end of ends) end();
      for (const feed of feeds) feed.stop();
    };
  }, [key]);
  return ids.map((id) => held.current.get(id) as Feed);
}

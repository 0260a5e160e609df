/** Finer points from the server. */

import type { Client } from "../api";
import type { DetailQuery, DetailSource } from "./detail";
import { seriesOf } from "./history";
import { metricOf } from "./options";
import type { Series } from "./series";

/** For what is shown and a margin on either side: more than there are pixels. */
const POINTS = 2_000;
/** Of names in one address; some proxies take no more than 8 kB. */
const MOST_LETTERS = 4_000;

/** Cut a list of names so that each part fits into an address. */
export function partsOf(metrics: readonly string[]): string[][] {
  const parts: string[][] = [];
  let room = 0;
  for (const metric of metrics) {
    const letters = encodeURIComponent(metric).length + "&metric=".length;
    if (room < letters) {
      parts.push([]);
      room = MOST_LETTERS;
    }
    parts.at(-1)?.push(metric);
    room -= letters;
  }
  return parts;
}

/** The server counts relative time from the first row, and the page from the run's beginning: instants mean the same. */
function asked({ x, range, start }: DetailQuery) {
  const zero = x === "relative" ? start : 0;
  return {
    x: x === "relative" ? "wall" : x,
    points: POINTS,
    ...(range && { start: range.low + zero, end: range.high + zero }),
  };
}

/** Null where the server does not answer: the page's own points stay. */
export function detailFrom(client: Pick<Client, "sampled">, runId: string): DetailSource {
  return async (query, signal) => {
    const found = new Map<string, Series>();
    for (const metrics of partsOf(query.metrics)) {
      const answer = await client.sampled(runId, { metrics, ...asked(query) }, signal);
      if (!answer.ok) return null;
      for (const [name, metric] of Object.entries(answer.value.metrics)) {
        found.set(name, seriesOf(name, metric, metricOf(query.x) !== null));
      }
    }
    return found;
  };
}

import fc from "fast-check";
import { expect, test } from "vitest";
import { EventParser, readEvents, type ServerEvent } from "./events";

const STREAM = [
  ": welcome",
  "",
  "event: points",
  "id: 7",
  "data: AAAA",
  "",
  "data: one",
  "data:two",
  "",
  "event: run\r",
  "data: {}\r",
  "\r",
  "event: lost",
  "",
].join("\n");
const EVENTS: ServerEvent[] = [
  { type: "points", data: "AAAA", id: "7" },
  { type: "message", data: "one\ntwo", id: "7" },
  { type: "run", data: "{}", id: "7" },
];

test("events are read however the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length)), (cuts) => {
      const parser = new EventParser();
      const places = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
      const pieces = places.slice(1).map((to, i) => STREAM.slice(places[i], to));
      expect(pieces.flatMap((piece) => parser.push(piece))).toEqual(EVENTS);
    }),
  );
});

test("a character that is cut in two is put together", async () => {
  const bytes = new TextEncoder().encode("data: ä\n\n");
  const stream = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const events: ServerEvent[] = [];
  for await (const event of readEvents(new Response(stream))) events.push(event);
  expect(events).toEqual([{ type: "message", data: "ä", id: "" }]);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { atEnd, finalLine, Log, partsOf, windowOf, withoutCommands } from "./log";

const linesOf = (log: Log) => Array.from({ length: log.length }, (_, i) => log.line(i));

test("colours and movements of the cursor are not shown", () => {
  expect(withoutCommands("\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07\x1b[2K!")).toBe("red link!");
});

test("what was written over is gone, as in a terminal", () => {
  expect(finalLine("10%\r50%\r100%")).toBe("100%");
  expect(finalLine("windows\r")).toBe("windows");
  expect(finalLine("bell\x07\ttab")).toBe("bell\ttab");
});

test("lines are the same, however the text came in pieces", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("ab", "\n", "\r", "\r\n", "é", "c")),
      fc.integer({ min: 1, max: 5 }),
      (parts, size) => {
        const text = parts.join("");
        const [whole, pieces] = [new Log(), new Log()];
        whole.push(text);
        for (let i = 0; i < text.length; i += size) pieces.push(text.slice(i, i + size));
        expect(linesOf(pieces)).toEqual(linesOf(whole));
      },
    ),
  );
});

test("a progress bar of hours does not grow", () => {
  const log = new Log();
  for (let i = 0; i < 1000; i++) log.push(`\r${i} of 1000`);
  expect(linesOf(log)).toEqual(["999 of 1000"]);
  log.push("\ndone\n");
  expect(linesOf(log)).toEqual(["999 of 1000", "done"]);
});

test("of very many lines the last are kept, and the others counted", () => {
  const log = new Log(100);
  for (let i = 0; i < 1000; i++) log.push(`${i}\n`);
  expect(log.length).toBeLessThanOrEqual(110);
  expect(log.dropped + log.length).toBe(1000);
  expect(log.line(log.length - 1)).toBe("999");
});

test("a very long line is cut, and says so", () => {
  expect(finalLine("x".repeat(5000))).toMatch(/… \(1000 more\)$/);
});

test("lines are found whatever the case, the unfinished one too", () => {
  const log = new Log();
  log.push("Epoch 1\nloss\nepoch 2");
  expect(log.find("EPOCH")).toEqual([0, 2]);
  expect(log.find("")).toEqual([]);
});

test("what is found is marked, and nothing of the line is lost", () => {
  expect(partsOf("aXbx", "x")).toEqual([
    { text: "a", found: false },
    { text: "X", found: true },
    { text: "b", found: false },
    { text: "x", found: true },
  ]);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ maxLength: 3 }), (line, wanted) => {
      expect(
        partsOf(line, wanted)
          .map(({ text }) => text)
          .join(""),
      ).toBe(line);
    }),
  );
});

test("the lines in sight are drawn, and some around them", () => {
  expect(windowOf(0, 180, 18, 1000, 5)).toEqual({ from: 0, to: 15 });
  expect(windowOf(1800, 180, 18, 1000, 5)).toEqual({ from: 95, to: 115 });
  expect(windowOf(1800, 180, 18, 3, 5)).toEqual({ from: 0, to: 3 });
});

test("the end is reached where no line is left below", () => {
  expect(atEnd({ scrollTop: 99.5, clientHeight: 100, scrollHeight: 200 })).toBe(true);
  expect(atEnd({ scrollTop: 80, clientHeight: 100, scrollHeight: 200 })).toBe(false);
});

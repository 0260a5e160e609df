/** What the program printed: follows its end until the reader scrolls away; only the lines in sight are drawn. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { fileName } from "../charts/csv";
import { save } from "../charts/picture";
import { useStore } from "./hooks";
import { atEnd, partsOf, windowOf } from "./log";
import type { MediaStore } from "./store";

/** As the style sheet has it. */
const LINE_PX = 18;
const FIRST_HEIGHT = 600;

export interface LogViewProps {
  readonly store: MediaStore;
  readonly runName: string;
  readonly running: boolean;
}

interface Found {
  readonly lines: readonly number[];
  /** Which of them the reader is at. */
  readonly at: number;
}

function Finder({
  found,
  text,
  onText,
  onGo,
}: {
  found: Found;
  text: string;
  onText(t: string): void;
  onGo(by: -1 | 1): void;
}) {
  const { lines, at } = found;
  const said = !text ? "" : lines.length ? `${at + 1} of ${lines.length}` : "not found";
  const step = (label: string, by: -1 | 1) => (
    <button type="button" class="anr-quiet" aria-disabled={!lines.length} onClick={() => lines.length && onGo(by)}>
      {label}
    </button>
  );
  return (
    <>
      <input
        type="search"
        placeholder="search the log"
        aria-label="Search the log"
        size={16}
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && lines.length) onGo(event.shiftKey ? -1 : 1);
        }}
      />
      {step("Previous", -1)}
      {step("Next", 1)}
      <output class="anr-dim anr-num" aria-label="Found lines">
        {said}
      </output>
    </>
  );
}

export function LogView({ store, runName, running }: LogViewProps) {
  const version = useStore(store);
  const { log } = store;
  const box = useRef<HTMLElement>(null);
  const [follows, setFollows] = useState(true);
  const [scroll, setScroll] = useState({ top: 0, height: FIRST_HEIGHT });
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const [trouble, setTrouble] = useState("");
  const lines = text ? log.find(text) : [];
  const found: Found = { lines, at: Math.min(chosen, Math.max(0, lines.length - 1)) };
  const toEnd = () => box.current?.scrollTo({ top: box.current.scrollHeight });
  const toLine = (line: number | undefined) => {
    const element = box.current;
    if (!element || line === undefined) return;
    setFollows(false);
    element.scrollTo({ top: Math.max(0, line * LINE_PX - element.clientHeight / 2) });
  };
  useLayoutEffect(() => {
    if (follows) toEnd();
  }, [version, follows, log.length]);
  useEffect(() => {
    const element = box.current as HTMLElement;
    const look = () => setScroll({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    look();
    return () => observer.disconnect();
  }, []);
  const go = (by: -1 | 1) => {
    const next = (found.at + by + lines.length) % lines.length;
    setChosen(next);
    toLine(lines[next]);
  };
  const keep = async () => {
    setTrouble("");
    const answer = await store.wholeLog();
    if (answer.ok) save(new Blob(answer.value, { type: "text/plain" }), fileName(`${runName}-log`, "txt"));
    else setTrouble(answer.problem.detail);
  };
  const { from, to } = windowOf(scroll.top, scroll.height, LINE_PX, log.length);
  const drawn = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
  const digits = String(log.dropped + log.length).length;
  return (
    <section class="anr-log" aria-label="Log">
      <div class="anr-above">
        <Finder
          found={found}
          text={text}
          onText={(next) => {
            setText(next);
            setChosen(0);
            toLine(next ? log.find(next)[0] : undefined);
          }}
          onGo={go}
        />
        <label>
          <input type="checkbox" checked={follows} onChange={(event) => setFollows(event.currentTarget.checked)} />
          {running ? "Follow the end" : "Stay at the end"}
        </label>
        <button type="button" class="anr-quiet" aria-label="Save the log" onClick={() => void keep()}>
          Save
        </button>
      </div>
      {(trouble || store.problem) && (
        <p class="anr-trouble" role="alert">
          {trouble || store.problem?.detail}{" "}
          <button type="button" class="anr-quiet" onClick={() => void (trouble ? keep() : store.readOn())}>
            Try again
          </button>
        </p>
      )}
      {log.dropped > 0 && (
        <p class="anr-dim">The first {log.dropped} lines are not shown here; the saved file has all.</p>
      )}
      <section
        ref={box}
        class="anr-lines anr-num"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        aria-label="Lines of the log"
        onScroll={({ currentTarget: element }) => {
          setScroll({ top: element.scrollTop, height: element.clientHeight });
          if (follows !== atEnd(element)) setFollows(atEnd(element));
        }}
      >
        <div style={{ height: `${log.length * LINE_PX}px` }}>
          <ol style={{ top: `${from * LINE_PX}px` }}>
            {drawn.map((at) => (
              <li key={at} data-at={(text && lines[found.at] === at) || undefined}>
                <span aria-hidden="true" style={{ width: `${digits + 2}ch` }}>
                  {log.dropped + at + 1}
                </span>
                <code>
                  {partsOf(log.line(at), text).map((part, i) =>
                    part.found ? <mark key={i}>{part.text}</mark> : part.text,
                  )}
                </code>
              </li>
            ))}
          </ol>
        </div>
      </section>
    </section>
  );
}

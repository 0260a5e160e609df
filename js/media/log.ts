/** What the program printed: pieces become lines, as a terminal would show them, and a bounded number is kept. Pure. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal takes for commands
const COMMANDS = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: tabulators stay, other control characters mean nothing here
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

const MOST_LINES = 50_000;
const LONGEST_LINE = 4_000;

/** Return a text without colours and movements of the cursor. */
export function withoutCommands(text: string): string {
  return text.replace(COMMANDS, "");
}

/** Return a line as it stands in the end: what follows a carriage return is written over what was before. */
export function finalLine(line: string): string {
  const parts = withoutCommands(line).split("\r");
  const last = (parts.filter((part) => part !== "").at(-1) ?? "").replace(CONTROLS, "");
  return last.length > LONGEST_LINE ? `${last.slice(0, LONGEST_LINE)}… (${last.length - LONGEST_LINE} more)` : last;
}

export class Log {
  readonly #most: number;
  #lines: string[] = [];
  #rest = "";
  #dropped = 0;

  constructor(most = MOST_LINES) {
    this.#most = most;
  }

  /** Lines that were printed before those that are kept. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many lines are kept, the unfinished one included. */
  get length(): number {
    return this.#lines.length + (this.#rest ? 1 : 0);
  }

  line(at: number): string {
    return at < this.#lines.length ? (this.#lines[at] as string) : finalLine(this.#rest);
  }

  push(text: string): void {
    const parts = (this.#rest + text).split("\n");
    // A progress bar writes over one line for hours; what it wrote before is never seen again.
    this.#rest = withoutOverwritten(parts.pop() as string);
    for (const part of parts) this.#lines.push(finalLine(part));
    if (this.#lines.length <= this.#most + this.#most / 10) return;
    this.#dropped += this.#lines.length - this.#most;
    this.#lines = this.#lines.slice(-this.#most);
  }

  /** Return the places of lines that have `text` in them, whatever the case. */
  find(text: string): number[] {
    const wanted = text.toLowerCase();
    if (!wanted) return [];
    const found: number[] = [];
    for (let i = 0; i < this.length; i++) if (this.line(i).toLowerCase().includes(wanted)) found.push(i);
    return found;
  }
}

/** What was written over is left out; a return at the end may be half of a line's end, and stays. */
function withoutOverwritten(line: string): string {
  if (!line.includes("\r")) return line;
  const last =
    line
      .split("\r")
      .filter((part) => withoutCommands(part) !== "")
      .at(-1) ?? "";
  return line.endsWith("\r") ? `${last}\r` : last;
}

export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Return the lines that are drawn: those in sight, and some around them. */
export function windowOf(top: number, height: number, lineHeight: number, lines: number, around = 20): Window {
  const from = Math.max(0, Math.min(lines, Math.floor(top / lineHeight)) - around);
  return { from, to: Math.min(lines, Math.ceil((top + height) / lineHeight) + around) };
}

/** Whether a box is scrolled to its end, as exactly as browsers tell. */
export function atEnd(box: { scrollTop: number; clientHeight: number; scrollHeight: number }): boolean {
  return box.scrollHeight - box.scrollTop - box.clientHeight < 4;
}

export interface Part {
  readonly text: string;
  readonly found: boolean;
}

/** Return a line in parts: those that are `wanted`, whatever the case, and what is between. */
export function partsOf(line: string, wanted: string): Part[] {
  if (!wanted) return [{ text: line, found: false }];
  const [low, sought] = [line.toLowerCase(), wanted.toLowerCase()];
  // Some letters are longer in lower case; such a line is found as a whole.
  if (low.length !== line.length) return [{ text: line, found: low.includes(sought) }];
  const parts: Part[] = [];
  let at = 0;
  for (let next = low.indexOf(sought); next >= 0; next = low.indexOf(sought, at)) {
    if (next > at) parts.push({ text: line.slice(at, next), found: false });
    parts.push({ text: line.slice(next, next + sought.length), found: true });
    at = next + sought.length;
  }
  if (at < line.length || !parts.length) parts.push({ text: line.slice(at), found: false });
  return parts;
}

/** Moves the focus over a grid of charts: one of them is reached by Tab, the others by arrow keys. */

const CARD = ".anr-card";

/** How many cards stand in one row. */
function columnsOf(cards: readonly HTMLElement[]): number {
  const top = cards[0]?.offsetTop;
  const next = cards.findIndex((card) => card.offsetTop !== top);
  return next < 1 ? Math.max(1, cards.length) : next;
}

/** Return the card to go to from `at` of `n`, in rows of `columns`; null where the key asks for none. */
export function nextCard(key: string, at: number, n: number, columns: number): number | null {
  const to = {
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    ArrowDown: at + columns,
    ArrowUp: at - columns,
    Home: 0,
    End: n - 1,
  }[key];
  return to === undefined || to < 0 || to >= n ? null : to;
}

/** Do what a key asks for where a card, or something in it, has the focus; returns whether it asked for anything. */
export function rove(root: HTMLElement, event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  const card = target.closest<HTMLElement>(CARD);
  if (!card || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (target !== card) {
    if (event.key !== "Escape") return false;
    card.focus();
    return true;
  }
  if (event.key === "Enter") {
    (card.querySelector<HTMLElement>(".anr-plot") ?? card.querySelector<HTMLElement>(".anr-rows"))?.focus();
    return true;
  }
  const cards = [...root.querySelectorAll<HTMLElement>(CARD)];
  const to = nextCard(event.key, cards.indexOf(card), cards.length, columnsOf(cards));
  if (to === null) return event.key.startsWith("Arrow");
  cards[to]?.focus();
  cards[to]?.scrollIntoView({ block: "nearest" });
  return true;
}

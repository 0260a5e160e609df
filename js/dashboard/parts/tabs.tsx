/** Tabs as the ARIA pattern has them: one tab stop, arrow keys, Home and End. */
import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";

export interface Tab {
  readonly key: string;
  readonly label: string;
  readonly note?: string;
}

export interface TabsProps {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly chosen: string;
  readonly onChoose: (key: string) => void;
  /** Stands in the bar, to the right of the tabs. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

const MOVES: Readonly<Record<string, (at: number, n: number) => number>> = {
  ArrowRight: (at, n) => (at + 1) % n,
  ArrowLeft: (at, n) => (at + n - 1) % n,
  Home: () => 0,
  End: (_, n) => n - 1,
};

export function Tabs({ label, tabs, chosen, onChoose, aside, children }: TabsProps) {
  const id = useId();
  const bar = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const to = MOVES[event.key]?.(
      tabs.findIndex((tab) => tab.key === chosen),
      tabs.length,
    );
    const tab = to === undefined ? undefined : tabs[to];
    if (!tab) return;
    event.preventDefault();
    onChoose(tab.key);
    bar.current?.querySelector<HTMLElement>(`[data-key="${tab.key}"]`)?.focus();
  };
  return (
    <>
      <div class="bar">
        <div class="tabs" role="tablist" aria-label={label} ref={bar} onKeyDown={move}>
          {tabs.map((tab) => (
            <button
              type="button"
              key={tab.key}
              id={`${id}-${tab.key}`}
              role="tab"
              data-key={tab.key}
              aria-selected={tab.key === chosen}
              aria-controls={`${id}-panel`}
              tabIndex={tab.key === chosen ? 0 : -1}
              onClick={() => onChoose(tab.key)}
            >
              {tab.label}
              {tab.note && <span class="dim"> {tab.note}</span>}
            </button>
          ))}
        </div>
        {aside}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${chosen}`}>
        {children}
      </div>
    </>
  );
}

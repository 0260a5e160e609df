/** Tabs (the ARIA pattern): one is in the order of Tab, arrows lead to the others. */

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

export interface TabsProps {
  readonly tabs: readonly { readonly key: string; readonly label: string }[];
  readonly tab: string;
  onTab(tab: string): void;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Tabs({ tabs, tab, onTab, aside, children }: TabsProps) {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const n = tabs.length;
    const at = tabs.findIndex(({ key }) => key === tab);
    const to = { ArrowLeft: at + n - 1, ArrowRight: at + 1, Home: 0, End: n - 1 }[event.key];
    const next = to === undefined ? undefined : tabs[to % n];
    if (!next) return;
    event.preventDefault();
    onTab(next.key);
    list.current?.querySelector<HTMLElement>(`#tab-${next.key}`)?.focus();
  };
  return (
    <>
      <div class="anr-bar">
        <div ref={list} class="anr-tabs" role="tablist" aria-label="Run" onKeyDown={move}>
          {tabs.map(({ key, label }) => (
            <button
              key={key}
              id={`tab-${key}`}
              type="button"
              role="tab"
              aria-selected={key === tab}
              aria-controls="panel"
              tabIndex={key === tab ? 0 : -1}
              onClick={() => onTab(key)}
            >
              {label}
            </button>
          ))}
        </div>
        {aside}
      </div>
      <div id="panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {children}
      </div>
    </>
  );
}

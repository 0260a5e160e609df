/** One section of cards: folded by its title, drawn in portions, and only once the reader comes near. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Section } from "./arrange";
import type { ChartSpec } from "./group";
import { useVisible } from "./hooks";

/** Cards that a section begins with, and is continued by; a run may have ten thousand metrics. */
const PORTION = 60;

/** Shows the next portion when the reader comes near, or asks for it. */
function More({ left, onMore }: { readonly left: number; onMore(): void }) {
  const host = useRef<HTMLButtonElement>(null);
  const visible = useVisible(host);
  useEffect(() => {
    if (visible) onMore();
  }, [visible, left]);
  return (
    <button ref={host} type="button" class="anr-quiet anr-more" onClick={onMore}>
      Show more ({left} left)
    </button>
  );
}

export interface SectionProps {
  /** What its cards are, for screen readers. */
  readonly label: string;
  readonly section: Section;
  /** Whether there is no other. */
  readonly alone: boolean;
  readonly named: boolean;
  readonly closed: boolean;
  onToggle(): void;
  card(chart: ChartSpec): preact.JSX.Element;
}

export function SectionOfCharts({ label, section, alone, named, closed, onToggle, card }: SectionProps) {
  const host = useRef<HTMLDivElement>(null);
  const [portions, setPortions] = useState(1);
  // Hundreds of sections would be thousands of cards: they are made when the reader comes near.
  const seen = useRef(alone);
  seen.current = useVisible(host) || seen.current;
  const shown = section.charts.slice(0, portions * PORTION);
  const left = section.charts.length - shown.length;
  const open = !named || !closed;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    <div ref={host} class="anr-section" role="group" aria-label={`${label}: ${section.title}`}>
      {named && (
        <button type="button" class="anr-fold" aria-expanded={open} onClick={onToggle}>
          <svg viewBox="0 0 12 12" aria-hidden="true">
            <path d="M4.5 3 7.5 6 4.5 9" />
          </svg>
          <span>{section.title}</span> <span class="anr-dim anr-num">{section.charts.length}</span>
        </button>
      )}
      {open && (
        <div class="anr-grid" data-alone={alone || undefined} data-far={!seen.current || undefined}>
          {seen.current && shown.map(card)}
        </div>
      )}
      {open && seen.current && left > 0 && <More left={left} onMore={() => setPortions(portions + 1)} />}
    </div>
  );
}

/** A button with a menu (the ARIA pattern): arrow keys, Home, End, Escape; above everything, whatever cuts off below. */

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";

export interface MenuItem {
  readonly label: string;
  readonly disabled?: boolean;
  /** Set for what is on or off. */
  readonly checked?: boolean;
  act(): void;
}

export interface MenuProps {
  /** Of the button, for screen readers and as a hint. */
  readonly label: string;
  readonly children: ComponentChildren;
  /** Groups, with a line between them. */
  readonly groups: readonly (readonly MenuItem[])[];
  readonly tabIndex?: number;
  readonly class?: string;
}

const EDGE = 6;

/** Put `box` below its button, or above where there is more room, and never beyond the window. */
function settle(box: HTMLElement, button: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const view = box.ownerDocument.documentElement;
  const [wide, high] = [box.offsetWidth, box.offsetHeight];
  const below = at.bottom + high + EDGE <= view.clientHeight || at.top < high + EDGE;
  box.style.left = `${Math.max(EDGE, Math.min(at.right - wide, view.clientWidth - wide - EDGE))}px`;
  box.style.top = `${below ? at.bottom + 2 : at.top - high - 2}px`;
}

const MOVES: Readonly<Record<string, (at: number, n: number) => number>> = {
  ArrowDown: (at, n) => (at + 1) % n,
  ArrowUp: (at, n) => (at + n - 1) % n,
  Home: () => 0,
  End: (_, n) => n - 1,
};

export function Menu({ label, children, groups, tabIndex, class: name = "anr-icon" }: MenuProps) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  // A press on the button closes the menu by itself, since it is outside; the click that follows must not open it anew.
  const pressedOpen = useRef(false);
  useLayoutEffect(() => {
    if (!open || !box.current || !button.current) return;
    box.current.showPopover();
    settle(box.current, button.current);
    box.current.querySelector<HTMLElement>("[role^=menuitem]:not([aria-disabled=true])")?.focus();
    // It stands still while the page below moves.
    const scrolled = (event: Event) => !box.current?.contains(event.target as Node) && box.current?.hidePopover();
    addEventListener("scroll", scrolled, { capture: true, passive: true });
    return () => removeEventListener("scroll", scrolled, { capture: true });
  }, [open]);
  const close = () => {
    box.current?.hidePopover();
    button.current?.focus();
  };
  const keys = (event: KeyboardEvent) => {
    const items = [...(box.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    const to = MOVES[event.key]?.(items.indexOf(event.target as HTMLElement), items.length);
    if (to !== undefined) items[to]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else return;
    event.stopPropagation();
    event.preventDefault();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class={name}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        tabIndex={tabIndex}
        onPointerDown={() => {
          pressedOpen.current = open;
        }}
        onClick={() => {
          setOpen(!open && !pressedOpen.current);
          pressedOpen.current = false;
        }}
      >
        {children}
      </button>
      {open && (
        <div
          ref={box}
          id={id}
          role="menu"
          aria-label={label}
          class="anr-pop"
          popover="auto"
          tabIndex={-1}
          onKeyDown={keys}
          onToggle={(event) => (event as ToggleEvent).newState === "closed" && setOpen(false)}
        >
          {groups.map((items, no) => (
            // biome-ignore lint/a11y/useSemanticElements: a menu's group is no fieldset
            <div key={no} role="group">
              {items.map((item) => (
                <button
                  key={item.label}
                  type="button"
                  {...(item.checked === undefined
                    ? { role: "menuitem" as const }
                    : { role: "menuitemcheckbox" as const, "aria-checked": item.checked })}
                  aria-disabled={item.disabled}
                  tabIndex={-1}
                  onClick={() => {
                    if (item.disabled) return;
                    close();
                    item.act();
                  }}
                >
                  {item.label}
                </button>
              ))}
            </div>
          ))}
        </div>
      )}
    </>
  );
}

/** The menu of one card, behind three dots; `title` is the card's. */
export function MoreMenu({ title, ...menu }: Omit<MenuProps, "label" | "children"> & { readonly title: string }) {
  return (
    <Menu {...menu} label={`More for ${title}`}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path class="anr-dots" d="M6 2.2v.01M6 6v.01M6 9.8v.01" />
      </svg>
    </Menu>
  );
}

/**
 * A link whose address holds a secret. The address stands in the page only while the link is being
 * used, so that a page that is saved or looked through does not have it.
 */

import type { ComponentChildren } from "preact";

export interface SecretLinkProps {
  readonly class: string;
  /** Asked when the link is used; null where there is none yet. */
  address(): string | null;
  /** Why the link cannot be used; absent where it can. */
  readonly disabled?: string | undefined;
  readonly title?: string;
  onUse?: () => void;
  readonly children: ComponentChildren;
}

export function SecretLink({ class: name, address, disabled, title, onUse, children }: SecretLinkProps) {
  const arm = (event: Event) => {
    const link = event.currentTarget as HTMLAnchorElement;
    const href = disabled ? null : address();
    if (href) link.href = href;
  };
  const disarm = (event: Event) => (event.currentTarget as HTMLAnchorElement).removeAttribute("href");
  const use = (event: Event) => {
    const link = event.currentTarget as HTMLAnchorElement;
    arm(event);
    // The browser follows the link after its handlers have run.
    setTimeout(() => link.removeAttribute("href"));
    if (link.href) onUse?.();
    else event.preventDefault();
  };
  return (
    <a
      class={name}
      role="link"
      tabIndex={0}
      target="_blank"
      rel="noopener noreferrer"
      aria-disabled={disabled ? "true" : undefined}
      title={disabled ?? title}
      onPointerDown={arm}
      onPointerLeave={disarm}
      // biome-ignore lint/a11y/useValidAnchor: it is a link, whose address comes with the click
      onClick={use}
      onAuxClick={use}
      onKeyDown={(event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        event.currentTarget.click();
      }}
      onBlur={disarm}
    >
      {children}
    </a>
  );
}

/** Buttons that send this browser to a provider; it comes back to the page `return`. */
import { useState } from "preact/hooks";
import { asRefusal } from "../http";
import type { Provider } from "../page";
import type { Purpose } from "../session";
import type { Confirmed } from "./confirmed";
import { useShell } from "./context";

export interface ProviderButtonsProps {
  readonly providers: readonly Provider[];
  readonly purpose: Purpose;
  /** Where to go on afterwards: a path on this server. */
  readonly next: string;
  readonly invitation?: string;
  /** Where what it does asks once more who somebody is. */
  readonly guard?: Confirmed;
}

export function ProviderButtons({ providers, purpose, next, invitation, guard }: ProviderButtonsProps) {
  const { session } = useShell();
  const [away, setAway] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const go = async (provider: string) => {
    setAway(provider);
    setError(null);
    const leave = async () => {
      const { url } = await session.setOut({ provider, purpose, next, ...(invitation ? { invitation } : {}) });
      location.assign(url);
    };
    try {
      if (guard && !(await guard(leave))) setAway(null);
      else if (!guard) await leave();
    } catch (reason) {
      setError(asRefusal(reason).message);
      setAway(null);
    }
  };
  return (
    <div class="providers">
      {providers.map(({ name, label }) => (
        <button key={name} type="button" class="button" disabled={away !== null} onClick={() => go(name)}>
          {away === name ? `Going to ${label}…` : `${VERBS[purpose]} ${label}`}
        </button>
      ))}
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

const VERBS: Readonly<Record<Purpose, string>> = {
  "sign-in": "Continue with",
  link: "Add",
  confirm: "Confirm with",
};

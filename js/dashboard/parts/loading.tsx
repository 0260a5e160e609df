/** What stands in a place before its data does; never a blank. */
import type { Refusal } from "../http";

export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="loading" role="status">
      {what}
    </p>
  );
}

/** Something did not load: why, and a button to try again. */
export function Failed({ refusal, onRetry }: { readonly refusal: Refusal; readonly onRetry?: () => void }) {
  return (
    <div class="failed" role="alert">
      <p>{refusal.message}</p>
      {onRetry && (
        <button type="button" class="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

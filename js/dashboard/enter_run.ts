/** Exchanges the secrets of a run's link for this browser's cookie. */
import type { Secrets } from "./fragment";
import { asRefusal, type Refusal } from "./http";
import type { SessionApi } from "./session";

/**
 * Exchange what the link brought, one after the other: each answer may set the cookie that the next one adds to.
 *
 * Returns the first refusal, or null. A refusal is not the end: the cookie, or the account, may open the run all the same.
 */
export async function enterRun(session: Pick<SessionApi, "exchange">, secrets: Secrets): Promise<Refusal | null> {
  let refusal: Refusal | null = null;
  for (const token of [secrets.view, secrets.share, secrets.claim]) {
    if (token === undefined) continue;
    try {
      await session.exchange(token);
    } catch (reason) {
      refusal ??= asRefusal(reason);
    }
  }
  return refusal;
}

/**
 * Which stretch of x is shown, and how it moves: pure arithmetic on places of an axis.
 *
 * Invariants: what is shown lies within `all` and is never narrower than doubles can tell apart; null stands for all.
 */

import type { Range } from "./lines";

const NARROWEST_SHARE = 1e-6;
/** Less than this share of all left out on both sides together is all: wheels and fingers are not exact. */
const NEARLY_ALL = 1e-3;

function narrowest(all: Range): number {
  const size = Math.max(Math.abs(all.low), Math.abs(all.high));
  return Math.max((all.high - all.low) * NARROWEST_SHARE, size * 1e-12);
}

/** Return `wanted` moved and widened as far as it must be to keep to the invariants. */
export function settled(wanted: Range, all: Range): Range | null {
  const whole = all.high - all.low;
  const width = Math.max(wanted.high - wanted.low, narrowest(all));
  if (!(whole > 0) || !Number.isFinite(width) || width >= whole * (1 - NEARLY_ALL)) return null;
  const low = Math.min(Math.max(wanted.low, all.low), all.high - width);
  return { low, high: Math.min(low + width, all.high) };
}

/** Show `factor` times as much as now; what is at `at` stays where it is. */
export function zoomedBy(factor: number, at: number, now: Range, all: Range): Range | null {
  return settled({ low: at - (at - now.low) * factor, high: at + (now.high - at) * factor }, all);
}

/** Move by a share of what is shown; positive: to later ones. */
export function movedBy(share: number, now: Range, all: Range): Range | null {
  const by = (now.high - now.low) * share;
  return settled({ low: now.low + by, high: now.high + by }, all);
}

/** Show what lies between two places, in any order. */
export function between(a: number, b: number, all: Range): Range | null {
  return settled({ low: Math.min(a, b), high: Math.max(a, b) }, all);
}

/** Whether `outer` has all of `inner`; null is all. */
export function holds(outer: Range | null, inner: Range | null): boolean {
  if (outer === null) return true;
  return inner !== null && outer.low <= inner.low && outer.high >= inner.high;
}

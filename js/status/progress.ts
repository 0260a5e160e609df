/** How far a run is on its way, and how long it will take: in numbers, and as people say it. Pure. */

import { formatValue } from "../charts/format";
import type { Pace } from "./pace";

const NARROW = "\u202f";

/** A number of steps in full. */
function whole(steps: number): string {
  return formatValue(steps, 16);
}

/** Steps made: who counts from 0 has made one more than the last step's number. */
export function doneOf({ step, firstStep }: Pick<Pace, "step" | "firstStep">): number {
  return Math.max(0, firstStep < 1 ? step + 1 : step);
}

export interface Share {
  /** Steps made, and not more than there are. */
  readonly done: number;
  readonly total: number;
  /** 0 to 1. */
  readonly part: number;
}

/** What is done of a total; null where there is none. */
export function shareOf(pace: Pace | null, total: number | null | undefined): Share | null {
  if (!total || total < 1) return null;
  const done = Math.min(total, pace ? doneOf(pace) : 0);
  return { done, total, part: done / total };
}

/** `step 499`, `step 499 of 1 000 (50 %)`, `step 1 200, beyond the 1 000 planned`. */
export function stepText(pace: Pace, total: number | null | undefined): string {
  const step = `step ${whole(pace.step)}`;
  if (!total || total < 1) return step;
  const done = doneOf(pace);
  if (done > total) return `${step}, beyond the ${whole(total)} planned`;
  return `${step} of ${whole(total)} (${Math.floor((100 * done) / total)}${NARROW}%)`;
}

/** `6.6 steps/s`; where a step takes longer than a second, `2.5 s/step` or `1.5 min/step`. */
export function paceText(perSecond: number): string {
  if (perSecond >= 1) return `${formatValue(perSecond, 2)} steps/s`;
  const seconds = 1 / perSecond;
  return seconds < 90 ? `${formatValue(seconds, 2)} s/step` : `${formatValue(seconds / 60, 2)} min/step`;
}

/** Seconds that are left; null where that is not known well enough. */
export function leftS(pace: Pace | null, total: number | null | undefined): number | null {
  const share = shareOf(pace, total);
  if (!pace?.lasting || !share || share.done >= share.total) return null;
  return (share.total - share.done) / pace.lasting;
}

/** To what a time that is left is rounded: the further away, the coarser. */
function grainOf(seconds: number): number {
  const [minute, hour] = [60, 3600];
  if (seconds < 10 * minute) return minute;
  if (seconds < 90 * minute) return 5 * minute;
  if (seconds < 10 * hour) return hour / 2;
  return seconds < 48 * hour ? hour : 24 * hour;
}

/** Round a time that is left, and stay with what was shown while it is not clearly another. */
export function steadied(shownS: number | null, seconds: number): number {
  if (shownS !== null && Math.abs(seconds - shownS) < 0.75 * grainOf(shownS)) return shownS;
  const grain = grainOf(seconds);
  return Math.round(seconds / grain) * grain;
}

/** `about 3 min left`, from seconds that `steadied` has rounded. */
export function leftText(roundedS: number): string {
  if (roundedS < 60) return "less than a minute left";
  if (roundedS < 5400) return `about ${Math.round(roundedS / 60)} min left`;
  if (roundedS < 172_800) return `about ${formatValue(roundedS / 3600, 3)} h left`;
  return `about ${Math.round(roundedS / 86_400)} d left`;
}

/** `no step for 2 min`, once that is long for a run of this pace; null before. */
export function silenceText(silentS: number, perSecond: number | null): string | null {
  if (silentS < Math.max(60, perSecond ? 5 / perSecond : 0)) return null;
  const minutes = Math.floor(silentS / 60);
  return `no step for ${minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`}`;
}

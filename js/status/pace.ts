/**
 * How far a run is and how fast it goes, from its series alone. Pure.
 *
 * Times are those of the rows, so that it does not matter when they arrived or whose clock is right.
 */

import type { Series } from "../charts";
import { isOfMachine } from "../charts/group";

export interface Pace {
  /** Where the run stands: the step that arrived last, which may be below one that came before. */
  readonly step: number;
  readonly firstStep: number;
  /** Time of the last row, seconds since the Unix epoch. */
  readonly at: number;
  /** Steps a second as of late; null where that cannot be said yet. */
  readonly perSecond: number | null;
  /** Steps a second as the training goes in the long run, its pauses counted; null until that is known well. */
  readonly lasting: number | null;
}

/** A series that was silent for so long does not say where the run stands. */
const LATELY_S = 600;
const SHOWN_S = 30;
const SHOWN_LEAST = 8;
const SHOWN_GAP_S = 2;
const LEAST_S = 0.5;
const LASTING_LEAST = 32;
const LASTING_LEAST_S = 5;
const LASTING_GAP_S = 60;
/** What is left beside the gaps, in parts of them, where rows come in bursts. */
const BURST = 0.02;

interface Interval {
  readonly steps: number;
  readonly seconds: number;
  /** Its end, seconds since the Unix epoch. */
  readonly end: number;
}

/** Of the series that were heard lately the one that is furthest; of those the one with most points. */
function leading(all: Iterable<Series>): Series | null {
  const heard = [...all].filter(({ name, last }) => last && !isOfMachine(name));
  let newest = Number.NEGATIVE_INFINITY;
  for (const { last } of heard) newest = Math.max(newest, last?.time ?? newest);
  let found: Series | null = null;
  for (const series of heard) {
    if (!series.last || series.last.time < newest - LATELY_S) continue;
    const ahead = found?.last ? series.last.step - found.last.step || series.total - found.total : 1;
    if (ahead > 0) found = series;
  }
  return found;
}

/** What lay between rows, in order of time; where steps went back, nothing did. */
function intervalsOf(series: Series): Interval[] {
  const { length, step, time } = series.columns();
  const rows = Array.from({ length }, (_, i) => ({ step: step[i] as number, time: time[i] as number }));
  rows.sort((a, b) => a.time - b.time || a.step - b.step);
  // What is not finite is no entry, and an entry stands where its first point does.
  const { last } = series;
  if (last && last.time > (rows.at(-1)?.time ?? Number.NEGATIVE_INFINITY)) rows.push(last);
  const found: Interval[] = [];
  let from = rows[0];
  for (const row of rows) {
    if (!from || row.step < from.step) from = row;
    if (row.step === from.step) continue;
    found.push({ steps: row.step - from.step, seconds: row.time - from.time, end: row.time });
    from = row;
  }
  return found;
}

/** The newest intervals: those of the last `seconds`, and at least so many. */
function newest(intervals: readonly Interval[], seconds: number, least: number): readonly Interval[] {
  const since = (intervals.at(-1)?.end ?? 0) - seconds;
  const from = intervals.findIndex(({ end, seconds: took }) => end - took >= since);
  return intervals.slice(Math.max(0, Math.min(from < 0 ? intervals.length : from, intervals.length - least)));
}

function sum(intervals: readonly Interval[]): { steps: number; seconds: number } {
  let [steps, seconds] = [0, 0];
  for (const one of intervals) {
    steps += one.steps;
    seconds += one.seconds;
  }
  return { steps, seconds };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/**
 * Leave out one or two long gaps, such as an evaluation, or the night before a run was resumed; three are how this
 * training goes. So are gaps that are nearly all there is: rows come in bursts then.
 */
function uninterrupted(intervals: readonly Interval[], gapS: number): readonly Interval[] {
  if (!intervals.length) return intervals;
  const usual = median(intervals.map(({ seconds }) => seconds));
  const isLong = ({ seconds }: Interval) => seconds > gapS && seconds > 10 * usual;
  const gaps = intervals.filter(isLong);
  const rest = intervals.filter((one) => !isLong(one));
  const isBurst = sum(rest).seconds < BURST * sum(gaps).seconds && gaps.every(({ seconds }) => seconds < LATELY_S);
  return gaps.length > 2 || isBurst ? intervals : rest;
}

function shownRate(intervals: readonly Interval[]): number | null {
  const late = newest(intervals, SHOWN_S, SHOWN_LEAST);
  if (sum(late).seconds < LEAST_S) return null;
  const { steps, seconds } = sum(uninterrupted(late, SHOWN_GAP_S));
  return steps / seconds;
}

function lastingRate(intervals: readonly Interval[]): number | null {
  const taken = uninterrupted(newest(intervals, LATELY_S, LASTING_LEAST), LASTING_GAP_S);
  const all = sum(taken);
  if (taken.length < 4 || all.seconds < LASTING_LEAST_S) return null;
  const half = taken.length >> 1;
  const [before, after] = [sum(taken.slice(0, half)), sum(taken.slice(half))];
  const change = (before.steps * after.seconds) / (before.seconds * after.steps);
  return change > 0.5 && change < 2 ? all.steps / all.seconds : null;
}

/** Return how far a run is, and how fast it goes; null before the first row. */
export function paceOf(all: Iterable<Series>): Pace | null {
  const series = leading(all);
  if (!series?.last) return null;
  const { step, time: at } = series.last;
  const firstStep = Math.min(series.columns().step[0] ?? step, step);
  const intervals = intervalsOf(series);
  return { step, firstStep, at, perSecond: shownRate(intervals), lasting: lastingRate(intervals) };
}

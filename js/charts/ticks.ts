/**
 * Where axes have their ticks: round values, all inside the range, so that no label is ever clipped.
 */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DURATIONS = [1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE]
  .concat([HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY])
  .concat([91 * DAY, 182 * DAY, 365 * DAY]);

/** A round number (1, 2, 2.5 or 5 times a power of ten) that is at least `rough`. */
function roundUp(rough: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  return magnitude * ([1, 2, 2.5, 5].find((factor) => factor * magnitude >= rough * (1 - 1e-9)) ?? 10);
}

function multiples(low: number, high: number, spacing: number): number[] {
  if (!(spacing > 0) || !Number.isFinite(spacing)) return [];
  const ticks: number[] = [];
  const first = Math.ceil(low / spacing - 1e-9);
  const last = Math.floor(high / spacing + 1e-9);
  // A spacing below the resolution of doubles at this height would never end.
  for (let i = first; i <= last && ticks.length < 100; i++) {
    const tick = Number((i * spacing).toPrecision(15));
    if (tick >= low && tick <= high) ticks.push(tick === 0 ? 0 : tick);
  }
  return ticks;
}

/** About `count` round values in [low, high]; with `whole` only integers. */
export function linearTicks(low: number, high: number, count: number, whole = false): number[] {
  const rough = high / count - low / count;
  if (!(rough > 0)) return [low];
  const spacing = roundUp(rough);
  return multiples(low, high, whole ? Math.max(1, Math.ceil(spacing)) : spacing);
}

/** Powers of ten in [low, high], or 1, 2 and 5 times those where they are few; at most about `count`. */
export function logTicks(low: number, high: number, count: number): number[] {
  if (!(low > 0) || !(high > low)) return [];
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const every = Math.max(1, Math.ceil((last - first) / count));
  const factors = last - first <= 2 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = first; power <= last; power += every) {
    for (const factor of factors) ticks.push(Number(`${factor}e${power}`));
  }
  const inside = ticks.filter((tick) => tick >= low && tick <= high);
  return inside.length >= 2 ? inside : linearTicks(low, high, count);
}

/** Round lengths of time in seconds. */
export function durationTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  if (rough < 1) return linearTicks(low, high, count);
  return multiples(low, high, DURATIONS.find((spacing) => spacing >= rough) ?? 365 * DAY);
}

/** Round times of day where the reader is; instants in seconds since the Unix epoch. */
export function wallTicks(low: number, high: number, count: number): number[] {
  const offset = -60 * new Date(((low + high) / 2) * 1000).getTimezoneOffset();
  return durationTicks(low + offset, high + offset, count).map((tick) => tick - offset);
}

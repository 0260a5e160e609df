/**
 * Smoothing of a series.
 *
 * `smooth` is an exponential average that looks both ways, so that it does not lag behind the points as
 * the usual one does, and whose weights are divided by their sum, so that its beginning is not drawn
 * towards zero. The weight of a neighbour falls with its distance in steps, not with the number of
 * points between, so uneven steps change nothing.
 */

/** Points that stand at rising `x`; `weight[i]` says how many measurements value `i` is the mean of. */
export interface Sequence {
  readonly length: number;
  readonly x: ArrayLike<number>;
  readonly value: ArrayLike<number>;
  readonly weight: ArrayLike<number>;
}

/** One pass: the decayed sums of what stands before each point, without the point itself. */
function sumsBefore({ length, x, value, weight }: Sequence, smoothing: number, spacing: number, backwards: boolean) {
  const sums = new Float64Array(length);
  const weights = new Float64Array(length);
  let [sum, total, gap, decay] = [0, 0, Number.NaN, 0];
  for (let n = 1; n < length; n++) {
    const i = backwards ? length - 1 - n : n;
    const before = backwards ? i + 1 : i - 1;
    const distance = Math.abs((x[i] as number) - (x[before] as number));
    if (distance !== gap) {
      gap = distance;
      decay = smoothing ** (distance / spacing);
    }
    sum = (sum + (value[before] as number) * (weight[before] as number)) * decay;
    total = (total + (weight[before] as number)) * decay;
    sums[i] = sum;
    weights[i] = total;
  }
  return { sums, weights };
}

/**
 * Return the smoothed values; `smoothing` is the weight of the neighbour one typical step away, 0 … below 1.
 *
 * Values are finite. They are scaled while they are summed, so that even 1e308 does not overflow.
 */
export function smooth(points: Sequence, smoothing: number): Float64Array {
  const { length, x, value, weight } = points;
  const smoothed = Float64Array.from({ length }, (_, i) => value[i] as number);
  const span = (x[length - 1] as number) - (x[0] as number);
  if (!(smoothing > 0) || length < 2 || !(span > 0)) return smoothed;

  let [count, scale] = [0, 0];
  for (let i = 0; i < length; i++) {
    count += weight[i] as number;
    scale = Math.max(scale, Math.abs(value[i] as number));
  }
  if (!scale) return smoothed;
  const scaled = { length, x, weight, value: smoothed.map((v) => v / scale) };
  const spacing = span / Math.max(1, count - 1);
  const left = sumsBefore(scaled, smoothing, spacing, false);
  const right = sumsBefore(scaled, smoothing, spacing, true);
  for (let i = 0; i < length; i++) {
    const own = weight[i] as number;
    const sum = (left.sums[i] as number) + (right.sums[i] as number) + (scaled.value[i] as number) * own;
    smoothed[i] = (sum / ((left.weights[i] as number) + (right.weights[i] as number) + own)) * scale;
  }
  return smoothed;
}

/** How many points it takes to judge; fewer are drawn as they are. */
const MIN_POINTS_TO_JUDGE = 12;
/** Neither 2/3, where values are unrelated, nor 0, where a curve bends once. */
const MIN_TURNS = 0.2;
/** A jump of less than this share of the range is hardly seen: two pixels of a card. */
const SEEN_SHARE_OF_RANGE = 0.02;
const MIN_SEEN_JUMPS = 0.25;

/**
 * Whether a series goes up and down so much that a smoothed line says more than its points.
 *
 * It does where more than one point in five is a turning point and more than one jump in four is large enough to be
 * seen. A curve that is clean beside its own range is left alone, since smoothing could only falsify it, above all
 * where it begins steeply.
 */
export function isNoisy({ length, value }: Pick<Sequence, "length" | "value">): boolean {
  if (length < MIN_POINTS_TO_JUDGE) return false;
  let [low, high] = [value[0] as number, value[0] as number];
  for (let i = 1; i < length; i++) {
    low = Math.min(low, value[i] as number);
    high = Math.max(high, value[i] as number);
  }
  const seen = SEEN_SHARE_OF_RANGE * (high / 2 - low / 2) * 2;
  let [turns, jumps] = [0, 0];
  for (let i = 2; i < length; i++) {
    const now = (value[i] as number) / 2 - (value[i - 1] as number) / 2;
    const before = (value[i - 1] as number) / 2 - (value[i - 2] as number) / 2;
    if ((now > 0 && before < 0) || (now < 0 && before > 0)) turns += 1;
    if (Math.abs(now - before) > seen) jumps += 1;
  }
  return turns > MIN_TURNS * (length - 2) && jumps > MIN_SEEN_JUMPS * (length - 2);
}

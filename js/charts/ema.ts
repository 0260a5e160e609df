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
const MIN_SHARE_OF_RANGE = 0.005;

/**
 * Whether a series goes up and down so much that a smoothed line says more than its points.
 *
 * It does where more than one point in five is a turning point and the jumps would be seen: a clean
 * curve is left alone, since smoothing could only falsify it.
 */
export function isNoisy({ length, value }: Pick<Sequence, "length" | "value">): boolean {
  if (length < MIN_POINTS_TO_JUDGE) return false;
  let [low, high] = [value[0] as number, value[0] as number];
  let [turns, jumps] = [0, 0];
  for (let i = 1; i < length; i++) {
    const now = value[i] as number;
    low = Math.min(low, now);
    high = Math.max(high, now);
    if (i < 2) continue;
    const before = now - (value[i - 1] as number);
    const earlier = (value[i - 1] as number) - (value[i - 2] as number);
    if ((before > 0 && earlier < 0) || (before < 0 && earlier > 0)) turns += 1;
    jumps += Math.abs(before / 2 - earlier / 2);
  }
  const range = high / 2 - low / 2;
  return turns > MIN_TURNS * (length - 2) && jumps / (length - 2) > MIN_SHARE_OF_RANGE * range;
}

/** A curve the size of a word. */

export interface SparklineProps {
  /** In order; what is not finite is left out. */
  readonly values: ArrayLike<number>;
  /** What a screen reader says. */
  readonly label: string;
  readonly width?: number;
  readonly height?: number;
}

/** Return the path of values within a box; "" where there is nothing to draw. */
export function sparkPath(values: ArrayLike<number>, width: number, height: number): string {
  const finite = Array.from(values, (value, i) => [i, value] as const).filter(([, value]) => Number.isFinite(value));
  const scale = Math.max(...finite.map(([, value]) => Math.abs(value)), Number.MIN_VALUE);
  const heights = finite.map(([, value]) => value / scale);
  const [low, high] = [Math.min(...heights), Math.max(...heights)];
  const y = (at: number) => (high > low ? height - ((at - low) / (high - low)) * height : height / 2);
  const x = (i: number) => (values.length > 1 ? (i / (values.length - 1)) * width : width);
  return finite.map(([i], n) => `${n ? "L" : "M"}${x(i).toFixed(1)} ${y(heights[n] as number).toFixed(1)}`).join("");
}

export function Sparkline({ values, label, width = 72, height = 16 }: SparklineProps) {
  return (
    <svg
      class="anr-spark"
      width={width}
      height={height + 2}
      viewBox={`0 -1 ${width} ${height + 2}`}
      role="img"
      aria-label={label}
    >
      <path d={sparkPath(values, width, height)} />
    </svg>
  );
}

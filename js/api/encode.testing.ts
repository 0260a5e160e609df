/** Frames for tests that need to feed a reader. */

import type { Frame } from "./decode";

export { encodePlain, sealed } from "./encode";

/** Return a frame of one metric. */
export function frameOf(
  name: string,
  steps: number[],
  values: number[],
  times = steps.map((step) => 1e9 + step),
): Frame {
  return {
    names: [name],
    steps: Float64Array.from(steps),
    times: Float64Array.from(times),
    columns: [Float64Array.from(values)],
  };
}

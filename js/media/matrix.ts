/** Confusion matrices: reading, shares, and what was mistaken most. Pure. */

import { isNumbers, isTexts, objectIn } from "./reading";

export interface Matrix {
  readonly labels: readonly string[];
  /** `counts[i][j]` of class `labels[i]` were taken for `labels[j]`. */
  readonly counts: readonly (readonly number[])[];
}

/** Return the matrix in a content, or null where there is none. */
export function matrixIn(text: string): Matrix | null {
  const { labels, counts } = objectIn(text) ?? {};
  if (!isTexts(labels) || !labels.length || !Array.isArray(counts) || counts.length !== labels.length) return null;
  return counts.every((row) => isNumbers(row) && row.length === labels.length) ? { labels, counts } : null;
}

/** Return each count's share of its row; 0 where the row has none. */
export function sharesOf({ counts }: Matrix): number[][] {
  return counts.map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count) => (total ? count / total : 0));
  });
}

/** Return the share of all that was taken for what it is; null where nothing was counted. */
export function accuracyOf({ counts }: Matrix): number | null {
  const total = counts.flat().reduce((sum, count) => sum + count, 0);
  return total ? counts.reduce((sum, row, i) => sum + (row[i] as number), 0) / total : null;
}

export interface Mistake {
  readonly actual: string;
  readonly predicted: string;
  readonly count: number;
  /** Of all of its class. */
  readonly share: number;
}

/** Return what was taken for something else, most first. */
export function mistakesOf(matrix: Matrix, most: number): Mistake[] {
  const shares = sharesOf(matrix);
  const found = matrix.counts.flatMap((row, i) =>
    row.flatMap((count, j): Mistake[] => {
      if (i === j || !count) return [];
      const [actual, predicted] = [matrix.labels[i] as string, matrix.labels[j] as string];
      return [{ actual, predicted, count, share: shares[i]?.[j] as number }];
    }),
  );
  return found.sort((a, b) => b.count - a.count).slice(0, most);
}

/** Return a share as people read it. */
export function percent(share: number): string {
  const hundred = share * 100;
  return `${hundred > 0 && hundred < 1 ? "<1" : Math.round(hundred)}%`;
}

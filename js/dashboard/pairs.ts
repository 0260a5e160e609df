/** Flattens what people put into configs, so that each leaf has a line. */

/** Return `[path, leaf]` of a mapping in its order; nested mappings are joined by `.`; lists and empty mappings are leaves. */
export function flatPairs(values: Readonly<Record<string, unknown>>, prefix = ""): [string, unknown][] {
  return Object.entries(values).flatMap(([key, value]): [string, unknown][] => {
    const isMapping =
      typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
    return isMapping ? flatPairs(value as Record<string, unknown>, `${prefix}${key}.`) : [[prefix + key, value]];
  });
}

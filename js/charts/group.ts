/**
 * Which metrics share a chart: the same metric of training, validation and test is drawn together.
 *
 * The static view follows the same rule (`anonrun.notebook.group`, where it is put into words); both are
 * held to `tests/vectors/groups.json`.
 */

export interface ChartSeries {
  readonly metric: string;
  /** What the legend says. */
  readonly label: string;
}

export interface ChartSpec {
  /** The same while further metrics arrive. */
  readonly key: string;
  readonly title: string;
  readonly section: "charts" | "system";
  readonly series: readonly ChartSeries[];
}

const SYSTEM_PREFIX = "system/";
const RANKS = new Map([
  ...["train", "training"].map((word) => [word, 0] as const),
  ...["val", "valid", "validation", "dev", "eval", "evaluation"].map((word) => [word, 1] as const),
  ...["test", "testing"].map((word) => [word, 2] as const),
]);

/** Whether a metric says how the machine did, and not how the training. */
export function isOfMachine(metric: string): boolean {
  return metric.startsWith(SYSTEM_PREFIX);
}

/** Return the entries of a summary that are of the training: how the machine did at last is no result. */
export function ofTraining<T>(summary: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(summary).filter(([name]) => !isOfMachine(name)));
}

interface Parsed {
  readonly metric: string;
  /** What remains of the name without its split word. */
  readonly key: string;
  readonly label: string;
  readonly rank: number;
}

function parse(metric: string): Parsed {
  for (const separator of ["/", "_"]) {
    for (const at of [metric.indexOf(separator), metric.lastIndexOf(separator)]) {
      if (at < 0) continue;
      const [head, tail] = [metric.slice(0, at), metric.slice(at + 1)];
      const first = at === metric.indexOf(separator) ? RANKS.get(head.toLowerCase()) : undefined;
      if (first !== undefined && tail) return { metric, key: tail, label: head, rank: first };
      const last = at === metric.lastIndexOf(separator) ? RANKS.get(tail.toLowerCase()) : undefined;
      if (last !== undefined && head) return { metric, key: head, label: tail, rank: last };
    }
  }
  return { metric, key: metric, label: metric, rank: 0 };
}

function alone(metric: string, key: string, section: ChartSpec["section"]): ChartSpec {
  return { key, title: metric, section, series: [{ metric, label: metric }] };
}

function shared(key: string, members: readonly Parsed[]): ChartSpec {
  const ordered = [...members].sort((a, b) => a.rank - b.rank);
  const unique = new Set(ordered.map(({ label }) => label)).size === ordered.length;
  const series = ordered.map(({ metric, label }) => ({ metric, label: unique ? label : metric }));
  return { key, title: key, section: "charts", series };
}

/** Return the charts for metrics in order of their first appearance. */
export function groupMetrics(metrics: Iterable<string>): ChartSpec[] {
  const groups = new Map<string, Parsed[]>();
  const system: ChartSpec[] = [];
  for (const metric of metrics) {
    if (isOfMachine(metric)) {
      system.push(alone(metric, metric, "system"));
      continue;
    }
    const parsed = parse(metric);
    const members = groups.get(parsed.key);
    if (members) members.push(parsed);
    else groups.set(parsed.key, [parsed]);
  }
  const charts = [...groups].map(([key, members]) =>
    members.length === 1 ? alone((members[0] as Parsed).metric, key, "charts") : shared(key, members),
  );
  return [...charts, ...system];
}

/** Return the charts that have `text` in a metric's name, whatever the case. */
export function filterCharts(charts: readonly ChartSpec[], text: string): ChartSpec[] {
  const wanted = text.trim().toLowerCase();
  return charts.filter(({ series }) => series.some(({ metric }) => metric.toLowerCase().includes(wanted)));
}

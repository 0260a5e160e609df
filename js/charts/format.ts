/** Numbers, times and lengths of time as people read them. Nothing here knows of charts. */

const THIN_SPACE = "\u202f";
const MINUS = "\u2212";

function exponential(value: number, digits: number): string {
  const [mantissa = "", exponent = ""] = value.toExponential(digits).split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return `${short}e${exponent.replace("+", "")}`;
}

function grouped(text: string): string {
  const [whole = "", fraction] = text.split(".");
  const parts = whole.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  return fraction === undefined ? parts : `${parts}.${fraction}`;
}

function plain(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return exponential(value, digits - 1);
  const decimals = size >= 1 ? Math.max(0, digits - 1 - Math.floor(Math.log10(size))) : digits;
  const text = value.toFixed(decimals);
  return grouped(text.includes(".") ? text.replace(/\.?0+$/, "") : text);
}

/** Return `value` with about `digits` significant digits: `0.2413`, `2 164`, `3.1e-4`, `NaN`, `∞`. */
export function formatValue(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  if (value === 0) return "0";
  return plain(value, digits).replace("-", value < 0 ? MINUS : "-");
}

const SCALES = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** Ticks up to 1e-3 read better in powers of ten. */
const LEAST_PLAIN_TICK = 0.002;
const MOST_MORE_DIGITS = 13;

/** Return labels for ticks: as many digits as tell them apart, and the same number in all. */
export function formatTicks(ticks: readonly number[]): string[] {
  const largest = Math.max(...ticks.map(Math.abs), 0);
  const gaps = ticks.slice(1).map((tick, i) => tick - (ticks[i] as number));
  const spacing = Math.min(...gaps.filter((gap) => gap > 0));
  if (largest === 0) return ticks.map(() => "0");
  if (largest >= 1e12 || largest < LEAST_PLAIN_TICK)
    return toldApart((more) => ticks.map((tick) => tickInPowers(tick, 2 + more)));
  const [factor, letter] = SCALES.find(([from]) => largest >= 10 * from) ?? [1, ""];
  if (!Number.isFinite(spacing)) return ticks.map((tick) => formatValue(tick / factor) + letter);
  // Digits until the spacing is told exactly; 2.5 needs one more than 2.
  const exact = Number((spacing / factor).toPrecision(3)).toString();
  const decimals = exact.includes("e-") ? Number(exact.split("e-")[1]) : (exact.split(".")[1]?.length ?? 0);
  return ticks.map((tick) => {
    if (tick === 0) return "0";
    const text = grouped((Math.abs(tick) / factor).toFixed(Math.min(decimals, 12)));
    return `${tick < 0 ? MINUS : ""}${text}${letter}`;
  });
}

function tickInPowers(tick: number, digits: number): string {
  return tick === 0 ? "0" : exponential(tick, digits).replace(/^-/, MINUS);
}

/** The labels with as few more digits as tell them apart: across a power of ten those before it need fewer than those after. */
function toldApart(labels: (more: number) => string[]): string[] {
  for (let more = 0; more < MOST_MORE_DIGITS; more++) {
    const said = labels(more);
    if (new Set(said).size === said.length) return said;
  }
  return labels(MOST_MORE_DIGITS);
}

/** Labels for ticks of a logarithmic axis: each by itself. */
export function formatLogTicks(ticks: readonly number[]): string[] {
  return toldApart((more) =>
    ticks.map((tick) => (tick >= 1e4 || tick < 1e-3 ? tickInPowers(tick, 2 + more) : formatValue(tick, 3 + more))),
  );
}

const UNITS: readonly (readonly [RegExp, string])[] = [
  [/^system\/(.+\/)?(cpu|memory|disk|utilization)$/, "%"],
  [/^system\/(.+\/)?process_memory$/, "MB"],
  [/^system\/(.+\/)?network_(sent|received)$/, "MB/s"],
  [/^system\/(.+\/)?temperature$/, "°C"],
  [/^system\/(.+\/)?power$/, "W"],
  [/per_s(ec(ond)?)?$/, "/s"],
  [/(_s|_sec|_secs|_seconds)$/, "s"],
  [/(_ms|_millis)$/, "ms"],
  [/_us$/, "µs"],
  [/(_min|_minutes)$/, "min"],
  [/(_percent|_pct|percent|_%)$/, "%"],
  [/_bytes$/, "B"],
  [/_kb$/, "kB"],
  [/_mb$/, "MB"],
  [/_gb$/, "GB"],
  [/_mib$/, "MiB"],
  [/_gib$/, "GiB"],
  [/_hz$/, "Hz"],
  [/_(watts?|w)$/, "W"],
  [/_(celsius|temp_c)$/, "°C"],
];

/** Return the unit that a metric's name ends with, or "" where it names none; nothing is guessed. */
export function unitOf(metric: string): string {
  const name = metric.toLowerCase();
  return UNITS.find(([pattern]) => pattern.test(name))?.[1] ?? "";
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** Return a length of time as a clock: `00:42`, `1:02:03`, `2 d 03:04`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days) return `${days} d ${two(hours)}:${two(minutes)}`;
  const rest = `${two(minutes)}:${two(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** Return a length of time with its two largest units: `6 d 23 h`, `1 h 5 min`, `42 s`; nothing below 1 s. */
export function formatCountdown(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const units = [
    [86400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ] as const;
  const first = units.findIndex(([size]) => whole >= size);
  if (first < 0) return "0 s";
  const [size, name] = units[first] as (typeof units)[number];
  const text = `${Math.floor(whole / size)} ${name}`;
  const next = units[first + 1];
  const rest = next ? Math.floor((whole % size) / next[0]) : 0;
  return next && rest ? `${text} ${rest} ${next[1]}` : text;
}

/** Return a length of time for an axis: `0`, `90 s`, `5 min`, `1:30 h`, `2 d`. */
export function formatDurationTick(seconds: number, spacing: number): string {
  const sign = seconds < 0 ? MINUS : "";
  const size = Math.abs(seconds);
  if (size === 0) return "0";
  if (spacing < 60 && size < 600) return `${sign}${formatValue(size)} s`;
  if (size < 3600 && spacing < 3600) {
    return size % 60 ? `${sign}${formatClock(size)}` : `${sign}${Math.round(size / 60)} min`;
  }
  if (size % 86400 === 0) return `${sign}${size / 86400} d`;
  if (size % 3600 === 0 && size < 172800) return `${sign}${size / 3600} h`;
  return `${sign}${formatClock(size)}`;
}

/** Return an instant for an axis in the reader's zone, as exactly as `spacing` (seconds) asks. */
export function formatWallTick(seconds: number, spacing: number, locale?: string): string {
  const at = new Date(seconds * 1000);
  if (spacing >= 86400) return at.toLocaleDateString(locale, { day: "numeric", month: "short" });
  const options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (spacing < 60) options.second = "2-digit";
  return at.toLocaleTimeString(locale, options);
}

/** Return an instant in the reader's zone: `Mon 30 Nov 2026, 23:31`. */
export function formatInstant(instant: Date, timeZone?: string): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(timeZone ? { timeZone } : {}),
  }).formatToParts(instant);
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.find((part) => part.type === type)?.value ?? "";
  return `${of("weekday")} ${of("day")} ${of("month")} ${of("year")}, ${of("hour")}:${of("minute")}`;
}

/** Return the name of the reader's time zone with its offset: `Europe/Berlin (GMT+1)`. */
export function zoneName(instant: Date, timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone): string {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone, timeZoneName: "shortOffset" }).formatToParts(instant);
  const offset = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  return offset && offset !== timeZone ? `${timeZone} (${offset})` : timeZone;
}

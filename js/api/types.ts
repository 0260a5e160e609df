/** The answers of `/api/v1/` that the front end reads; their meaning stands in `anonrun.core.messages`. */

export type RunState = "running" | "finished" | "failed" | "crashed";

/** A number as JSON carries it: NaN and ±Infinity are text. */
export type JsonNumber = number | "NaN" | "Infinity" | "-Infinity";

export interface Permissions {
  write: boolean;
  delete: boolean;
  claim: boolean;
  share: boolean;
}

export interface RunInfo {
  run_id: string;
  account: string;
  project: string;
  id: string;
  name: string;
  state: RunState;
  anonymous: boolean;
  created_at: string;
  server_time: string;
  /** Below the server's root, without a leading slash. */
  url_path: string;
  expires_at: string | null;
  heartbeat_at: string | null;
  finished_at: string | null;
  exit_code: number | null;
  config: Record<string, unknown>;
  summary: Record<string, unknown>;
  tags: string[];
  notes: string | null;
  group: string | null;
  job_type: string | null;
  points: number;
  permissions: Permissions;
}

export interface RunList {
  runs: RunInfo[];
  next: string | null;
}

export interface ServerInfo {
  instance: string;
  version: string;
  anonymous: boolean;
  retention_days: number;
  embedded: boolean;
  server_time: string;
}

export interface AccountInfo {
  name: string;
  kind: "anonymous" | "user";
  created_at: string;
}

export interface MetricInfo {
  name: string;
  n: number;
  last_step: number;
  last: JsonNumber;
  min: JsonNumber | null;
  max: JsonNumber | null;
}

export interface SampledMetric {
  total: number;
  step: number[];
  time: number[];
  count: number[];
  min: (JsonNumber | null)[];
  max: (JsonNumber | null)[];
  first: JsonNumber[];
  last: JsonNumber[];
}

export interface SampledSeries {
  metrics: Record<string, SampledMetric>;
  position: number;
}

export interface LinkInfo {
  link_id: string;
  label: string | null;
  blind: boolean;
  created_at: string;
  expires_at: string | null;
}

/** An error as RFC 9457 has it; `code` is stable, the texts are for people. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  /** With `run_expired`: when. */
  expired_at?: string;
}

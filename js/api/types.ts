/**
 * The answers of `/api/v1/` that the front end reads. They come from the server's own description
 * (`npm run api-types`); what they mean stands in `anonrun.core.messages`.
 */

import type { components } from "./schema";

type Schemas = components["schemas"];

/** Answers carry every field; only in requests those with a default may be left out. */
type Complete<T> = T extends (infer U)[]
  ? Complete<U>[]
  : T extends object
    ? { [K in keyof T]-?: Complete<Exclude<T[K], undefined>> }
    : T;

export type AccountInfo = Complete<Schemas["AccountInfo"]>;
export type ArtifactInfo = Complete<Schemas["ArtifactInfo"]>;
export type LinkInfo = Complete<Schemas["LinkInfo"]>;
export type MediaInfo = Complete<Schemas["MediaInfo"]>;
export type MediaKind = MediaInfo["kind"];
export type MediaPage = Complete<Schemas["MediaPage"]>;
export type MetricInfo = Complete<Schemas["MetricInfo"]>;
export type Permissions = Complete<Schemas["Permissions"]>;
export type RunArtifacts = Complete<Schemas["RunArtifacts"]>;
export type RunInfo = Complete<Schemas["RunInfo"]>;
export type ProjectList = Complete<Schemas["ProjectList"]>;
export type RunList = Complete<Schemas["RunList"]>;
export type RunState = RunInfo["state"];
export type SampledMetric = Complete<Schemas["SampledMetric"]>;
export type SampledSeries = Complete<Schemas["SampledSeries"]>;
export type ServerInfo = Complete<Schemas["ServerInfo"]>;

/** A number as JSON carries it: NaN and ±Infinity are text. */
export type JsonNumber = number | string;

/** An error as RFC 9457 has it; `code` is stable, the texts are for people. */
export type Problem = Complete<Schemas["Problem"]> & {
  /** With `run_expired`: when. */
  readonly expired_at?: string;
  /** With `run_moved`: the server where the run is, where that is told. */
  readonly moved_to?: string;
};

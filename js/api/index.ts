export { Client, type ClientOptions, type Failure, type LiveHandlers, type Result, type Success } from "./client";
export { DamagedDataError, decodePlainSegments, decodeSegments, type Frame, type Reason, type Segment } from "./decode";
export { encodeAll, pointsOf } from "./encode";
export type * from "./types";

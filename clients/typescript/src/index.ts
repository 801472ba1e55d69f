/** The client of a workerpool: `connect` returns a {@link Client}. README.md shows it in five lines. */

export { Code } from "@connectrpc/connect";

export { Client, connect, type Options, type Sign } from "./client.js";
export { basic, bearer, Credentials } from "./credentials.js";
export { WorkerpoolError } from "./errors.js";
export { ReasonCode, type Reason } from "./gen/workerpool/core/v1/reason_pb.js";
export { Fault, ReplicateStatus, ReplicateStatusCause, TaskStatus } from "./gen/workerpool/core/v1/statuses_pb.js";
export type { ComputeLogs, Replicate, Task } from "./gen/workerpool/core/v1/task_pb.js";
export type { ExplainTaskResponse } from "./gen/workerpool/core/v1/task_service_pb.js";
export type { Worker } from "./gen/workerpool/core/v1/pool_service_pb.js";
export type { TlsFiles } from "./tls.js";
export type { WatchOptions } from "./watch.js";

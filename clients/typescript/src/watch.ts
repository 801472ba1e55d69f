import { setTimeout as sleep } from "node:timers/promises";

import { type Client as Stub, Code } from "@connectrpc/connect";

import { WorkerpoolError } from "./errors.js";
import { isTransient } from "./failures.js";
import { TaskStatus } from "./gen/workerpool/core/v1/statuses_pb.js";
import type { Task } from "./gen/workerpool/core/v1/task_pb.js";
import type { TaskService } from "./gen/workerpool/core/v1/task_service_pb.js";
import { pauseMs, type RetryPolicy } from "./retries.js";

/** How to watch. */
export interface WatchOptions {
  /** Ends the watch when it aborts; the iteration then throws a WorkerpoolError with reason CANCELLED. */
  readonly signal?: AbortSignal;
}

/** Yield the states of a task until its end, over as many streams as that takes. */
export async function* watchTask(
  tasks: Stub<typeof TaskService>,
  taskId: string,
  policy: RetryPolicy,
  patienceMs: number,
  { signal }: WatchOptions,
): AsyncGenerator<Task, void, undefined> {
  let failures = 0;
  let answered = false;
  let lost = performance.now();
  for (;;) {
    // The transport does not notice that its messages are no longer read: the abort ends the call.
    const call = new AbortController();
    try {
      const both = signal ? AbortSignal.any([signal, call.signal]) : call.signal;
      for await (const { task } of tasks.watchTask({ taskId }, { signal: both })) {
        if (task === undefined) continue;
        [failures, answered] = [0, true];
        yield task;
        if (task.status === TaskStatus.COMPLETED || task.status === TaskStatus.FAILED) return;
      }
      throw new WorkerpoolError(
        "UNREACHABLE",
        "the server ended the watch before the task's end",
        "check that the server runs",
        Code.Unavailable,
      );
    } catch (error) {
      if (!(error instanceof WorkerpoolError && isTransient(error))) throw error;
      failures += 1;
      // A stream may be silent for hours before it breaks: the time starts when it does.
      if (failures === 1 && answered) lost = performance.now();
      const waited = performance.now() - lost;
      if (waited >= patienceMs) throw afterWaiting(error, waited);
      if (!(await paused(Math.min(pauseMs(policy, failures), patienceMs - waited), signal))) throw error;
    } finally {
      call.abort();
    }
  }
}

/** Pause before another stream; return false when the caller ended the watch. */
async function paused(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}

/** Return the error with the time that the server was awaited in its cause. */
function afterWaiting({ reason, cause, nextStep, code, details, source }: WorkerpoolError, ms: number): WorkerpoolError {
  const told = `${cause} (waited ${(ms / 1_000).toFixed(1)} s)`;
  return new WorkerpoolError(reason, told, nextStep, code, details, source);
}

import { type Client as Stub, Code } from "@connectrpc/connect";

import { WorkerpoolError } from "./errors.js";
import { isTransient } from "./failures.js";
import { TaskStatus } from "./gen/workerpool/core/v1/statuses_pb.js";
import type { Task } from "./gen/workerpool/core/v1/task_pb.js";
import type { TaskService } from "./gen/workerpool/core/v1/task_service_pb.js";
import { Backoff, type RetryPolicy } from "./retries.js";

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
  { signal }: WatchOptions,
): AsyncGenerator<Task, void, undefined> {
  const backoff = new Backoff(policy);
  for (;;) {
    // The transport does not notice that its messages are no longer read: the abort ends the call.
    const call = new AbortController();
    try {
      const both = signal ? AbortSignal.any([signal, call.signal]) : call.signal;
      for await (const { task } of tasks.watchTask({ taskId }, { signal: both })) {
        if (task === undefined) continue;
        backoff.reset();
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
      if (!(error instanceof WorkerpoolError && isTransient(error)) || !(await pauseOf(backoff, signal))) throw error;
    } finally {
      call.abort();
    }
  }
}

/** Pause before another stream; return false when none is due, or the caller ended the watch. */
async function pauseOf(backoff: Backoff, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    return await backoff.pause(signal);
  } catch {
    return false;
  }
}

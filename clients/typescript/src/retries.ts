import { setTimeout as sleep } from "node:timers/promises";

import type { Interceptor } from "@connectrpc/connect";

import { errorOf, isTransient } from "./failures.js";
import type { Target } from "./target.js";

/** How often, and after which pauses, a call is repeated while the server is unavailable. */
export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attempts: number;
  /** First pause in milliseconds; each further one is twice as long. */
  readonly firstPauseMs: number;
  /** Longest pause in milliseconds. */
  readonly longestPauseMs: number;
}

/** The policy of every client. */
export const RETRY_POLICY: RetryPolicy = { attempts: 4, firstPauseMs: 100, longestPauseMs: 2_000 };

// A signed log challenge opens one answer, so that a repeated GetTaskLogs could be refused.
const REPEATABLE = /^(?:Get|List|Explain)(?!TaskLogs$)/;

/** Counts failed attempts in a row, and pauses between them. */
export class Backoff {
  #failures = 0;

  /** Start without failures. */
  constructor(private readonly policy: RetryPolicy) {}

  /** Forget the failures, because an attempt succeeded. */
  reset(): void {
    this.#failures = 0;
  }

  /** Pause and return true when another attempt is due, false when there were enough. Throws when `signal` aborts. */
  async pause(signal: AbortSignal | undefined): Promise<boolean> {
    this.#failures += 1;
    if (this.#failures >= this.policy.attempts) return false;
    const planned = Math.min(this.policy.firstPauseMs * 2 ** (this.#failures - 1), this.policy.longestPauseMs);
    // Clients that lost the same server must not come back at the same moment.
    await sleep(planned * (0.8 + 0.4 * Math.random()), undefined, { signal });
    return true;
  }
}

/** Return the interceptor that repeats reads while the server is unavailable, within the deadline of the call. */
export function retries(target: Target, policy: RetryPolicy): Interceptor {
  return (next) => async (request) => {
    if (request.stream || !REPEATABLE.test(request.method.name)) return next(request);
    const backoff = new Backoff(policy);
    for (;;) {
      try {
        return await next(request);
      } catch (error) {
        if (!isTransient(errorOf(error, target)) || request.signal.aborted) throw error;
        if (!(await backoff.pause(request.signal))) throw error;
      }
    }
  };
}

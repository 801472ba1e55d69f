import { setTimeout as sleep } from "node:timers/promises";

import type { Interceptor } from "@connectrpc/connect";

import { errorOf, isTransient } from "./failures.js";
import type { Target } from "./target.js";

/** How often, and after which pauses, a call is repeated while the server is unavailable. A watch has the pauses only. */
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

/** Return the milliseconds to pause after a number of failures in a row, at least 1. */
export function pauseMs(policy: RetryPolicy, failures: number): number {
  const planned = Math.min(policy.firstPauseMs * 2 ** (failures - 1), policy.longestPauseMs);
  // Clients that lost the same server must not come back at the same moment.
  return planned * (0.8 + 0.4 * Math.random());
}

/** Return the interceptor that repeats reads while the server is unavailable, within the deadline of the call. */
export function retries(target: Target, policy: RetryPolicy): Interceptor {
  return (next) => async (request) => {
    if (request.stream || !REPEATABLE.test(request.method.name)) return next(request);
    for (let failures = 1; ; failures += 1) {
      try {
        return await next(request);
      } catch (error) {
        if (!isTransient(errorOf(error, target)) || request.signal.aborted) throw error;
        if (failures >= policy.attempts) throw error;
        await sleep(pauseMs(policy, failures), undefined, { signal: request.signal });
      }
    }
  };
}

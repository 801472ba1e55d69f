/** The lines of a task's timeline. */
import { type Replicate, ReplicateStatus, ReplicateStatusCause, type Task, TaskStatus } from "@workerpool/client";

/** Yield a line for each entry of the task's history, then of its replicates' histories, ordered by wallet. */
export function* timeline(task: Task): Generator<string> {
  for (const { status, chainReceipt } of task.history) {
    const block = chainReceipt?.blockNumber ? ` block ${chainReceipt.blockNumber}` : "";
    yield `  ${TaskStatus[status]}${block}`;
  }
  const byWallet = (a: Replicate, b: Replicate) => (a.walletAddress < b.walletAddress ? -1 : 1);
  for (const replicate of [...task.replicates].sort(byWallet)) {
    for (const { status, cause } of replicate.history) {
      const why = cause === ReplicateStatusCause.UNSPECIFIED ? "" : ` ${ReplicateStatusCause[cause]}`;
      yield `    ${replicate.walletAddress} ${ReplicateStatus[status]}${why}`;
    }
  }
}

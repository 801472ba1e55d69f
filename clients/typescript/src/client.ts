import { type Client as Stub, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";

import type { Credentials } from "./credentials.js";
import { DealService } from "./gen/workerpool/core/v1/deal_service_pb.js";
import { PoolService, type Worker } from "./gen/workerpool/core/v1/pool_service_pb.js";
import type { ComputeLogs, Task } from "./gen/workerpool/core/v1/task_pb.js";
import { type ExplainTaskResponse, TaskService } from "./gen/workerpool/core/v1/task_service_pb.js";
import { RETRY_POLICY, retries } from "./retries.js";
import { parseTarget } from "./target.js";
import { checkCleartext, hasFiles, type TlsFiles, tlsOptions } from "./tls.js";
import { guarded } from "./transport.js";
import { type WatchOptions, watchTask } from "./watch.js";

/** How a client connects; every part has a default. */
export interface Options extends TlsFiles {
  /** Longest duration of a call in milliseconds, its retries included: 10,000 by default. A watch has none. */
  readonly deadlineMs?: number;
  /**
   * How many milliseconds a watch reconnects while the server is unavailable: 60,000 by default. Each state of the task
   * starts them again; with 0 the first failure ends the watch.
   */
  readonly watchPatienceMs?: number;
  /** Whether credentials may be sent without TLS to another machine, over a private network. */
  readonly allowCleartext?: boolean;
}

/** Sign EIP-712 typed data, given as JSON, with a wallet; return the signature as `0x` and 130 hexadecimal digits. */
export type Sign = (typedDataJson: string) => string | Promise<string>;

const DEADLINE_MS = 10_000;
// A restart of core takes less.
const WATCH_PATIENCE_MS = 60_000;
// The server accepts a ping every 10 s. A host that vanished is detected after both.
const PINGS = { pingIntervalMs: 60_000, pingTimeoutMs: 15_000 };

/**
 * Return a client of the pool whose core serves gRPC at `target`; the first call connects.
 *
 * @param target `host:port`, `http://host:port` or `https://host[:port]`. Without a scheme, TLS is used except on this
 *   machine, and there too when `options` names certificates.
 * @param credentials what to send with every call; reads of a pool need none.
 * @throws WorkerpoolError for a malformed target, unusable TLS files, and credentials that would travel without TLS.
 */
export function connect(target: string, credentials?: Credentials, options: Options = {}): Client {
  const to = parseTarget(target, hasFiles(options));
  if (credentials) checkCleartext(to, credentials.what, options.allowCleartext ?? false);
  const sessionManager = new Http2SessionManager(to.url, PINGS, to.tls ? tlsOptions(options) : undefined);
  const transport = createGrpcTransport({
    baseUrl: to.url,
    sessionManager,
    interceptors: [
      (next) => (request) => {
        if (credentials) request.header.set("authorization", credentials.authorization());
        return next(request);
      },
      retries(to, RETRY_POLICY),
    ],
  });
  const { deadlineMs = DEADLINE_MS, watchPatienceMs = WATCH_PATIENCE_MS } = options;
  return new Client(guarded(transport, sessionManager, to, deadlineMs), () => sessionManager.abort(), watchPatienceMs);
}

/** Reads a pool: its workers, and tasks with their progress and logs. {@link connect} makes it. */
export class Client {
  /** The generated stub of the service for tasks. */
  readonly tasks: Stub<typeof TaskService>;
  /** The generated stub of the service for workers and the pool. */
  readonly pool: Stub<typeof PoolService>;
  /** The generated stub of the service for deals. */
  readonly deals: Stub<typeof DealService>;

  /** Take a transport, for stubs of further services too, what closes its connection, and the patience of a watch. */
  constructor(
    readonly transport: Transport,
    private readonly disconnect: () => void,
    private readonly watchPatienceMs = WATCH_PATIENCE_MS,
  ) {
    this.tasks = createClient(TaskService, transport);
    this.pool = createClient(PoolService, transport);
    this.deals = createClient(DealService, transport);
  }

  /** Yield every worker that has registered, page by page, ordered by wallet. */
  async *workers(): AsyncGenerator<Worker, void, undefined> {
    let pageToken = "";
    do {
      const page = await this.pool.listWorkers({ pageToken });
      yield* page.workers;
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
  }

  /** Return a task with its replicates. */
  async task(taskId: string): Promise<Task> {
    return present((await this.tasks.getTask({ taskId })).task);
  }

  /** Return the status of a task, and why it waits or failed. */
  explain(taskId: string): Promise<ExplainTaskResponse> {
    return this.tasks.explainTask({ taskId });
  }

  /**
   * Yield a task at once and after every change, until it is COMPLETED or FAILED.
   *
   * Reconnects while the server is unavailable, until that has lasted for `watchPatienceMs`; the error then tells how long
   * it waited. After a reconnect a state can come twice, and states in between can be missing.
   */
  watchTask(taskId: string, options: WatchOptions = {}): AsyncGenerator<Task, void, undefined> {
    return watchTask(this.tasks, taskId, RETRY_POLICY, this.watchPatienceMs, options);
  }

  /**
   * Return the logs of a task's replicates, ordered by wallet, as its requester.
   *
   * @param address the requester's address.
   * @param sign signs with the requester's wallet. It is called once, and again for each replicate whose logs do not
   *   fit into one answer with the others.
   */
  async requesterLogs(taskId: string, address: string, sign: Sign): Promise<ComputeLogs[]> {
    const read = async (walletAddress: string) => {
      const { typedDataJson } = await this.tasks.createLogChallenge({ address });
      const signature = await sign(typedDataJson);
      return this.tasks.getTaskLogs({ taskId, address, signature, walletAddress });
    };
    const first = await read("");
    const logs = [...first.computeLogs];
    for (const wallet of first.leftOut) logs.push(...(await read(wallet)).computeLogs);
    return logs.sort((a, b) => (a.walletAddress < b.walletAddress ? -1 : 1));
  }

  /** End the connection and every call that is in flight. */
  close(): void {
    this.disconnect();
  }
}

function present(task: Task | undefined): Task {
  if (task === undefined) throw new TypeError("the server's answer holds no task");
  return task;
}

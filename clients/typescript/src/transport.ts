import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamResponse, type Transport } from "@connectrpc/connect";
import type { Http2SessionManager } from "@connectrpc/connect-node";

import type { WorkerpoolError } from "./errors.js";
import { errorOf, isCut, tlsRequired } from "./failures.js";
import type { Target } from "./target.js";
import { speaksTls } from "./tls.js";

/**
 * Wrap a gRPC transport: unary calls get a deadline, streams a deadline for their connection, and every failure becomes a
 * WorkerpoolError.
 */
export function guarded(
  inner: Transport,
  connection: Http2SessionManager,
  target: Target,
  deadlineMs: number,
): Transport {
  /** Return the error to throw when no answer came, after a look at what the server speaks. */
  async function explained(error: unknown): Promise<WorkerpoolError> {
    if (isCut(error) && !target.tls && (await speaksTls(target, deadlineMs))) return tlsRequired(target, error);
    return errorOf(error, target);
  }

  return {
    async unary(method, signal, timeoutMs, ...rest) {
      try {
        return await inner.unary(method, signal, timeoutMs ?? deadlineMs, ...rest);
      } catch (error) {
        throw await explained(error);
      }
    },

    async stream<I extends DescMessage, O extends DescMessage>(
      ...call: Parameters<typeof inner.stream<I, O>>
    ): Promise<StreamResponse<I, O>> {
      try {
        const [, signal] = call;
        await connected(connection, deadlineMs, signal);
        const response = await inner.stream<I, O>(...call);
        return { ...response, message: typed(response.message, target) };
      } catch (error) {
        throw await explained(error);
      }
    },
  };
}

async function* typed<T>(messages: AsyncIterable<T>, target: Target): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw errorOf(error, target);
  }
}

/**
 * Wait for a connection, or until `signal` aborts. A stream has no deadline of its own, and the system waits minutes for a
 * silent host.
 */
async function connected(
  connection: Http2SessionManager,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const end = signal ? AbortSignal.any([deadline, signal]) : deadline;
  const stopped = new Promise<void>((resolve) => end.addEventListener("abort", () => resolve(), { once: true }));
  const state = await Promise.race([connection.connect(), stopped]);
  if (state === "error") throw connection.error();
  if (state === undefined && deadline.aborted) {
    const late = new ConnectError(`no connection within ${deadlineMs} ms`, Code.Unavailable);
    connection.abort(late);
    throw late;
  }
}

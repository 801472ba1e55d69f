import type { DescMessage } from "@bufbuild/protobuf";
import { Code, type StreamResponse, type Transport } from "@connectrpc/connect";
import type { Http2SessionManager } from "@connectrpc/connect-node";

import { WorkerpoolError } from "./errors.js";
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
        await connected(connection, target, deadlineMs);
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

/** Wait for a connection. A stream has no deadline of its own, and the system waits minutes for a silent host. */
async function connected(connection: Http2SessionManager, target: Target, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), deadlineMs);
  });
  const state = await Promise.race([connection.connect(), late]);
  clearTimeout(timer);
  if (state === "late") {
    connection.abort();
    throw new WorkerpoolError(
      "UNREACHABLE",
      `${target.address} does not answer: no connection within ${deadlineMs} ms`,
      "check the address and port, and that no firewall drops the connection",
      Code.Unavailable,
    );
  }
  if (state === "error") throw connection.error();
}

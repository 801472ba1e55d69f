/** A real gRPC server in this process, whose answers a test chooses. */
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";

import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";

import { ErrorInfoSchema } from "#dist/gen/google/rpc/error_details_pb.js";
import { PoolService } from "#dist/gen/workerpool/core/v1/pool_service_pb.js";
import type { TaskSchema } from "#dist/gen/workerpool/core/v1/task_pb.js";
import { TaskService } from "#dist/gen/workerpool/core/v1/task_service_pb.js";

export const TASK_ID = `0x${"ab".repeat(32)}`;
export const WALLETS = ["0xA1", "0xB2", "0xC3"].map((head) => head + "0".repeat(38)) as [string, string, string];

/** The answers of a test's server. */
export interface Answers {
  readonly tasks?: Partial<ServiceImpl<typeof TaskService>>;
  readonly pool?: Partial<ServiceImpl<typeof PoolService>>;
}

/** Certificate and key of a server with TLS; `ca` makes it require a certificate of its clients. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

/** A server that listens on the loopback interface. */
export class Server {
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  /** Connections since the start. */
  connections = 0;

  private constructor(server: Http2Server) {
    this.#server = server;
    server.on("session", (session) => {
      this.connections += 1;
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
      session.on("error", () => undefined);
    });
  }

  /** Start a server with these answers, on a free port by default. */
  static async start(answers: Answers, { identity, port = 0 }: { identity?: Identity; port?: number } = {}): Promise<Server> {
    const routes = (router: ConnectRouter) => {
      router.service(TaskService, answers.tasks ?? {});
      router.service(PoolService, answers.pool ?? {});
    };
    const handler = connectNodeAdapter({ routes, grpc: true, grpcWeb: false, connect: false });
    const secure = identity && { ...identity, requestCert: identity.ca !== undefined };
    const server = new Server(secure ? createSecureServer(secure, handler) : createServer(handler));
    await new Promise<void>((resolve) => server.#server.listen(port, "127.0.0.1", resolve));
    return server;
  }

  /** The port on which it listens. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `host:port`, as a client takes it. */
  get target(): string {
    return `localhost:${this.port}`;
  }

  /** Cut every connection and stop to listen, as a killed process does. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const session of this.#sessions) session.destroy();
    await closed;
  }
}

/** Return a failure as a server of the pool describes it; `nextStep` is absent when an older server sends it. */
export function refusal(code: Code, reason: string, message: string, nextStep?: string): ConnectError {
  const metadata = { fact: "7", ...(nextStep ? { next_step: nextStep } : {}) };
  return new ConnectError(message, code, undefined, [
    { desc: ErrorInfoSchema, value: { reason, domain: "workerpool", metadata } },
  ]);
}

/** Return a handler that fails so many times with a code, then answers. */
export function failing<T>(times: number, code: Code, answer: T): { handler: (_: unknown, call: HandlerContext) => T; calls: HandlerContext[] } {
  const calls: HandlerContext[] = [];
  const handler = (_: unknown, call: HandlerContext): T => {
    calls.push(call);
    if (calls.length <= times) throw new ConnectError("try again", code);
    return answer;
  };
  return { handler, calls };
}

/** The fields of a task. */
export type TaskFields = Exclude<MessageInitShape<typeof TaskSchema>, { $typeName: string }>;

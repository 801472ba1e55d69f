import { Code, ConnectError } from "@connectrpc/connect";

import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";

const DOMAIN = "workerpool";
const NEXT_STEP = "next_step";

/**
 * The error of every failed call: what happened, why, and what to do next.
 *
 * Its message is `REASON: cause; next step`.
 */
export class WorkerpoolError extends Error {
  override readonly name = "WorkerpoolError";

  /** Take the parts of the error; `source` is the transport's own error. */
  constructor(
    /** What happened, for programs, such as `UNKNOWN_TASK`. */
    readonly reason: string,
    /** Why, in one sentence. */
    override readonly cause: string,
    /** What to do about it. */
    readonly nextStep: string,
    /** Status code of gRPC. */
    readonly code: Code,
    /** Facts for programs, as the server sent them. */
    readonly details: Readonly<Record<string, string>> = {},
    /** The error that the transport raised, if any. */
    readonly source?: unknown,
  ) {
    super(`${reason}: ${cause}; ${nextStep}`);
  }
}

/** Return the error that a server of the pool described with `google.rpc.ErrorInfo`; undefined without one. */
export function describedError(error: ConnectError): WorkerpoolError | undefined {
  const info = error.findDetails(ErrorInfoSchema).find((each) => each.domain === DOMAIN);
  if (info === undefined) return undefined;
  const { [NEXT_STEP]: nextStep, ...details } = info.metadata;
  const [cause, next] = parted(error.rawMessage, nextStep);
  return new WorkerpoolError(info.reason, cause, next || nextStepOf(error.code), error.code, details, error);
}

/** Part a status message, `cause; next step`, into the two. */
function parted(message: string, nextStep?: string): [cause: string, nextStep: string] {
  if (nextStep && message.endsWith(`; ${nextStep}`)) return [message.slice(0, -nextStep.length - 2), nextStep];
  if (nextStep) return [message, nextStep];
  const at = message.indexOf("; ");
  return at < 0 ? [message, ""] : [message.slice(0, at), message.slice(at + 2)];
}

/** Return the name of a status code as gRPC spells it, such as `NOT_FOUND`. */
export function statusName(code: Code): string {
  if (code === Code.Canceled) return "CANCELLED";
  return Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

/** Return what to do about a status whose sender does not say it. */
export function nextStepOf(code: Code): string {
  switch (code) {
    case Code.InvalidArgument:
      return "correct the request";
    case Code.Unauthenticated:
      return "check the user name and password, or the token";
    case Code.PermissionDenied:
      return "call with the credentials or the wallet that has access";
    case Code.Unimplemented:
      return "check that the address is the gRPC port of core, and that server and client have the same version";
    case Code.DeadlineExceeded:
      return "check that the address is the gRPC port of core, or allow more time with deadlineMs";
    case Code.Canceled:
      return "repeat the call if its answer is still wanted";
    default:
      return "look for the call in the server's log";
  }
}

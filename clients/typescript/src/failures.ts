import { Code, ConnectError } from "@connectrpc/connect";

import { describedError, nextStepOf, statusName, WorkerpoolError } from "./errors.js";
import type { Target } from "./target.js";

/** What Node.js tells of a failed connection. */
interface NodeFailure {
  readonly code: string;
  readonly message: string;
}

// Node.js ends the streams of a broken connection with this, also when no side cancelled them.
const BROKEN_CONNECTION = "http/2 stream closed with error code CANCEL";

/** OpenSSL's names of what is wrong with a certificate, and what to do about each; the first match counts. */
const TLS_STEPS: readonly (readonly [RegExp, (target: Target) => string])[] = [
  [
    /WRONG_VERSION_NUMBER|^EPROTO$/,
    (target) => `the server most likely speaks no TLS there: check the port, or use http://${target.address}`,
  ],
  [/ALTNAME/, () => "use a name that the server's certificate holds"],
  [/EXPIRED|NOT_YET_VALID/, () => "renew the server's certificate, or set this machine's clock"],
  [/CERTIFICATE_REQUIRED/, () => "give the client's certificate as certificateFile and its key as keyFile"],
  [/APPLICATION_PROTOCOL/, () => "this port serves no gRPC: check the port"],
  [/SELF_SIGNED|VERIFY|ISSUER|UNKNOWN_CA/, () => "give the certificate of the server's authority as caFile"],
  [/^/, () => "check the certificates of both sides"],
];
const TLS_CODE = /^(?:ERR_(?:TLS|SSL)_|EPROTO$|.*CERT|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|CRL_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/;

/** Return what a failed call tells: what the server described, or else what became of the connection. */
export function errorOf(error: unknown, target: Target): WorkerpoolError {
  if (error instanceof WorkerpoolError) return error;
  const failed = ConnectError.from(error);
  return describedError(failed) ?? connectionError(failed, target) ?? plainError(failed);
}

/** Return whether a call that failed this way may succeed a moment later. */
export function isTransient(error: WorkerpoolError): boolean {
  return error.code === Code.Unavailable && !error.reason.startsWith("TLS_");
}

/** Return whether the other side cut the connection without a word, as a TLS server does with a client in clear. */
export function isCut(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Canceled && error.rawMessage.startsWith(BROKEN_CONNECTION);
}

/** Return the error of a client that spoke without TLS to a server that speaks TLS. */
export function tlsRequired(target: Target, source: unknown): WorkerpoolError {
  return new WorkerpoolError(
    "TLS_REQUIRED",
    `the server at ${target.address} speaks TLS, this client does not`,
    `use https://${target.address}`,
    Code.Unavailable,
    {},
    source,
  );
}

function connectionError(failed: ConnectError, target: Target): WorkerpoolError | undefined {
  const failure = nodeFailure(failed);
  if (failure !== undefined && target.tls && TLS_CODE.test(failure.code)) {
    const [, step] = TLS_STEPS.find(([pattern]) => pattern.test(failure.code)) ?? [];
    const cause = `TLS with ${target.address} failed: ${failure.message}`;
    return new WorkerpoolError("TLS_FAILED", cause, step?.(target) ?? "", Code.Unavailable, {}, failed);
  }
  const given = failed.code === Code.Canceled || failed.code === Code.DeadlineExceeded;
  if (isCut(failed) || failed.code === Code.Unavailable || (failure !== undefined && !given)) {
    return unreachable(isCut(failed) ? "the connection was cut" : (failure?.message ?? failed.rawMessage), target, failed);
  }
  return undefined;
}

function unreachable(what: string, target: Target, source: unknown): WorkerpoolError {
  return new WorkerpoolError(
    "UNREACHABLE",
    `${target.address} does not answer: ${what}`,
    `check the address and port, and that the server runs${target.tls ? "" : "; a server with TLS needs https://"}`,
    Code.Unavailable,
    {},
    source,
  );
}

function plainError(failed: ConnectError): WorkerpoolError {
  const name = statusName(failed.code);
  return new WorkerpoolError(name, oneLine(failed.rawMessage) || name, nextStepOf(failed.code), failed.code, {}, failed);
}

/** Return the innermost error of Node.js behind a failed call. */
function nodeFailure(failed: ConnectError): NodeFailure | undefined {
  let found: NodeFailure | undefined;
  const seen = new Set<unknown>();
  for (let each: unknown = failed.cause; each instanceof Error && !seen.has(each); each = each.cause) {
    seen.add(each);
    const { code, reason, errors } = each as { code?: unknown; reason?: unknown; errors?: unknown };
    if (typeof code !== "string") continue;
    // Of an error of OpenSSL the reason is for people; the message starts with a thread's number.
    const openssl = code.startsWith("ERR_SSL_") && typeof reason === "string" ? reason : "";
    const tried = Array.isArray(errors) ? errors.map((one) => (one as Error).message).join(", ") : "";
    found = { code, message: oneLine(openssl || each.message || tried) || code };
  }
  return found;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().replace(/:$/, "");
}

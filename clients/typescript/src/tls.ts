import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SecureClientSessionOptions } from "node:http2";
import { connect, createSecureContext } from "node:tls";

import { Code } from "@connectrpc/connect";

import { WorkerpoolError } from "./errors.js";
import { isLoopback, type Target } from "./target.js";

/** Files in PEM form for TLS. */
export interface TlsFiles {
  /** Certificates of the authorities to trust, instead of those that Node.js brings. */
  readonly caFile?: string;
  /** Certificate of this client, for a server that requires one. */
  readonly certificateFile?: string;
  /** Private key of that certificate. */
  readonly keyFile?: string;
}

/** Return whether any of the files is given. */
export function hasFiles({ caFile, certificateFile, keyFile }: TlsFiles): boolean {
  return [caFile, certificateFile, keyFile].some((file) => file !== undefined);
}

/** Read the files and return the options of a connection. Throws a WorkerpoolError with reason TLS_FAILED. */
export function tlsOptions(files: TlsFiles): SecureClientSessionOptions {
  const ca = read(files.caFile, "the authority's certificate");
  const cert = read(files.certificateFile, "the client's certificate");
  const key = read(files.keyFile, "the client's key");
  try {
    // Node.js would ignore an authority that is no certificate.
    if (ca !== undefined) new X509Certificate(ca);
  } catch (error) {
    throw unusable(`${files.caFile} holds no certificate in PEM form`, "give the authority's certificate as caFile", error);
  }
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const why = (error as { reason?: string }).reason ?? (error as Error).message;
    throw unusable(`the client's certificate or key is unusable: ${why}`, "give both, in PEM form, of one pair", error);
  }
  return { ca, cert, key };
}

function read(file: string | undefined, what: string): Buffer | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw unusable(`${what} cannot be read from ${file} (${why})`, "give the path of a readable file in PEM form", error);
  }
}

function unusable(cause: string, nextStep: string, source: unknown): WorkerpoolError {
  return new WorkerpoolError("TLS_FAILED", cause, nextStep, Code.InvalidArgument, {}, source);
}

/** Throw unless credentials may be sent to the target: in clear only to this machine, or where the caller allows it. */
export function checkCleartext(target: Target, what: string, allowed: boolean): void {
  if (target.tls || allowed || isLoopback(target.host)) return;
  throw new WorkerpoolError(
    "CLEARTEXT_REFUSED",
    `${what} would travel to ${target.host} without TLS`,
    `use https://${target.address}, or set allowCleartext if the network between the two is private`,
    Code.InvalidArgument,
  );
}

/** Return whether the server at a target answers a TLS greeting; nothing else is sent. */
export function speaksTls(target: Target, timeoutMs: number): Promise<boolean> {
  const { hostname, port } = new URL(`https://${target.address}`);
  const host = hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    // The certificate is of no interest here, only whether there is one.
    const socket = connect({ host, port: Number(port || 443), rejectUnauthorized: false, ALPNProtocols: ["h2"] });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, end(false));
    socket.once("secureConnect", end(true));
    socket.once("error", end(false));
    socket.once("close", end(false));
  });
}

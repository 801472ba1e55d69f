import { Code } from "@connectrpc/connect";

import { WorkerpoolError } from "./errors.js";

/** What a client sends with every call to prove its identity; made by {@link basic} or {@link bearer}. */
export class Credentials {
  // Private, so that no log of a client shows it.
  readonly #authorization: string;

  /** Take the value of the `authorization` header, and what it is in words, such as `the password`. */
  constructor(
    authorization: string,
    readonly what: string,
  ) {
    this.#authorization = authorization;
  }

  /** Return the value of the `authorization` header. */
  authorization(): string {
    return this.#authorization;
  }
}

/** Return the credentials of a user, such as the operator (RFC 7617). */
export function basic(user: string, password: string): Credentials {
  if (user.includes(":")) throw invalid("a user name holds a colon", "remove it: the password follows a colon");
  return new Credentials(`Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`, "the password");
}

/** Return the credentials that a bearer token is (RFC 6750). */
export function bearer(token: string): Credentials {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw invalid("the bearer token is empty, or holds a blank or another character", "give the token as it was issued");
  }
  return new Credentials(`Bearer ${token}`, "the token");
}

function invalid(cause: string, nextStep: string): WorkerpoolError {
  return new WorkerpoolError("INVALID_CREDENTIALS", cause, nextStep, Code.InvalidArgument);
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { basic, bearer, connect, type Credentials, WorkerpoolError } from "@workerpool/client";

import { Server } from "./server.js";

/** Return the `authorization` header that a server gets from a client with these credentials. */
async function received(credentials?: Credentials): Promise<string | null> {
  let header: string | null = null;
  const server = await Server.start({
    pool: {
      getPoolStatus: (_, call) => {
        header = call.requestHeader.get("authorization");
        return {};
      },
    },
  });
  const client = connect(server.target, credentials);
  await client.pool.getPoolStatus({});
  client.close();
  await server.kill();
  return header;
}

test("basic credentials travel with every call", async () => {
  const encoded = Buffer.from("admin:pä:ss").toString("base64");
  assert.equal(await received(basic("admin", "pä:ss")), `Basic ${encoded}`);
});

test("a bearer token travels with every call", async () => {
  assert.equal(await received(bearer("abc.def")), "Bearer abc.def");
});

test("without credentials no header is sent", async () => {
  assert.equal(await received(), null);
});

test("credentials do not show in logs", () => {
  assert.doesNotMatch(inspect(basic("admin", "secret"), { depth: 9, showHidden: true }), /secret|YWRtaW4/);
});

for (const make of [() => basic("a:b", "c"), () => bearer(""), () => bearer("a b"), () => bearer("a\nb")]) {
  test(`malformed credentials are refused: ${make}`, () => {
    assert.throws(make, { reason: "INVALID_CREDENTIALS" });
  });
}

test("a password without TLS to another machine is refused before anything is sent", () => {
  assert.throws(() => connect("http://192.0.2.1:23000", basic("admin", "secret")), (error) => {
    assert(error instanceof WorkerpoolError);
    assert.equal(error.reason, "CLEARTEXT_REFUSED");
    assert.match(error.cause, /the password would travel to 192\.0\.2\.1 without TLS/);
    assert.match(error.nextStep, /https:\/\/192\.0\.2\.1:23000/);
    return true;
  });
});

test("the caller can allow it on a private network", () => {
  connect("http://192.0.2.1:23000", bearer("t"), { allowCleartext: true }).close();
});

test("without a scheme another machine is reached by TLS, so credentials are welcome", () => {
  connect("192.0.2.1:23000", bearer("t")).close();
});

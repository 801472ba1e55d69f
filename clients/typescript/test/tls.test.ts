import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server as TcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";

import { Code, connect, type Options } from "@workerpool/client";

import { Certificates } from "./certificates.js";
import { type Identity, Server, TASK_ID } from "./server.js";

const certificates = new Certificates();
after(() => certificates.remove());
const own = certificates.issue("localhost");
const other = certificates.issue("other");

/** Start a server whose calls fail, and return the error of a client's call to `target`. */
async function errorAt(
  target: (port: number) => string,
  identity: Identity | undefined,
  options: Options = {},
): Promise<Error> {
  const server = await Server.start({}, { identity });
  return errorOf(target(server.port), options).finally(() => server.kill());
}

/** Return the error of a client's call, of a watch too: both tell the same. */
async function errorOf(target: string, options: Options): Promise<Error> {
  const client = connect(target, undefined, { watchPatienceMs: 0, ...options });
  try {
    const watched = await failure(client.watchTask(TASK_ID).next());
    const called = await failure(client.explain(TASK_ID));
    assert.equal(reasonOf(watched), reasonOf(called));
    return called;
  } finally {
    client.close();
  }
}

const reasonOf = (error: Error) => (error as { reason?: string }).reason;

async function failure(call: Promise<unknown>): Promise<Error> {
  const result = await call.catch((error: unknown) => error);
  assert(result instanceof Error, "the call succeeded");
  return result;
}

test("a server is reached by TLS with its authority's certificate", async () => {
  const error = await errorAt((port) => `https://localhost:${port}`, own, { caFile: own.certFile });
  assert.equal(reasonOf(error), "UNIMPLEMENTED");
});

test("a server that requires a certificate of the client gets it", async () => {
  const options = { caFile: own.certFile, certificateFile: other.certFile, keyFile: other.keyFile };
  const error = await errorAt((port) => `https://localhost:${port}`, { ...own, ca: other.cert }, options);
  assert.equal(reasonOf(error), "UNIMPLEMENTED");
});

test("without that certificate the client says what to give", async () => {
  const identity = { ...own, ca: other.cert };
  const error = await errorAt((port) => `https://localhost:${port}`, identity, { caFile: own.certFile });
  assert.match(error.message, /^TLS_FAILED: .+; give the client's certificate/);
});

test("a client without TLS learns that the server speaks TLS", async () => {
  const error = await errorAt((port) => `localhost:${port}`, own);
  assert.match(error.message, /^TLS_REQUIRED: .+ speaks TLS.+; use https:\/\/localhost:\d+$/);
});

test("a client with TLS learns that the server speaks none", async () => {
  const error = await errorAt((port) => `https://localhost:${port}`, undefined);
  assert.match(error.message, /^TLS_FAILED: .+wrong version number; .+ http:\/\/localhost:\d+$/);
});

test("an unknown authority is named as the trouble", async () => {
  const error = await errorAt((port) => `https://localhost:${port}`, own);
  assert.match(error.message, /^TLS_FAILED: .+self-signed certificate; give .+ as caFile$/);
});

test("a certificate for another name is named as the trouble", async () => {
  const error = await errorAt((port) => `https://127.0.0.1:${port}`, own, { caFile: own.certFile });
  assert.match(error.message, /^TLS_FAILED: .+altnames.+; use a name/);
});

test("files that cannot be used are refused before the connection", () => {
  const rubbish = join(certificates.folder, "rubbish.pem");
  writeFileSync(rubbish, "rubbish");
  const refused: [Options, RegExp][] = [
    [{ caFile: "/nonexistent.pem" }, /^TLS_FAILED: .+cannot be read from \/nonexistent\.pem \(ENOENT\); give/],
    [{ caFile: rubbish }, /^TLS_FAILED: .+holds no certificate in PEM form; give/],
    [{ certificateFile: own.certFile, keyFile: other.keyFile }, /^TLS_FAILED: .+key values mismatch; give both/],
  ];
  for (const [options, text] of refused) {
    assert.throws(() => connect("https://localhost:1", undefined, options), (error) => {
      assert.match((error as Error).message, text);
      return true;
    });
  }
});

/** Listen on a free port and treat each connection as told; return the server and its port. */
async function listen(treat: (socket: Socket) => void): Promise<[TcpServer, number]> {
  const server = createServer(treat);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return [server, (server.address() as AddressInfo).port];
}

for (const scheme of ["http", "https"]) {
  test(`a port on which no server listens is unreachable by ${scheme}`, async () => {
    const [server, port] = await listen(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    const error = await errorOf(`${scheme}://localhost:${port}`, {});
    assert.match(error.message, /^UNREACHABLE: localhost:\d+ does not answer: .*ECONNREFUSED.*; check the address/);
    assert.equal((error as { code?: Code }).code, Code.Unavailable);
  });

  test(`a server that cuts each ${scheme} connection is unreachable`, async () => {
    const [server, port] = await listen((socket) => socket.destroy());
    assert.match((await errorOf(`${scheme}://localhost:${port}`, {})).message, /^UNREACHABLE: .+; check/);
    server.close();
  });
}

test("a host name that does not exist is unreachable", async () => {
  const error = await errorOf("https://nowhere.invalid", {});
  assert.match(error.message, /^UNREACHABLE: nowhere\.invalid:443 does not answer: getaddrinfo .+; check/);
});

test("a silent server ends a watch at the deadline of its connection", async () => {
  const sockets: Socket[] = [];
  const [server, port] = await listen((socket) => sockets.push(socket));
  const client = connect(`https://localhost:${port}`, undefined, { deadlineMs: 100, watchPatienceMs: 0 });
  await assert.rejects(client.watchTask(TASK_ID).next(), /UNREACHABLE: .+no connection within 100 ms \(waited .+\); check/);
  client.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

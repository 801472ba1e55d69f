import assert from "node:assert/strict";
import { test } from "node:test";

import { Code, connect, WorkerpoolError } from "@workerpool/client";
import { ConnectError } from "@connectrpc/connect";

import { refusal, Server, TASK_ID } from "./server.js";

/** Return the error of a call that a server refuses with `refused`. */
async function errorFor(refused: ConnectError): Promise<WorkerpoolError> {
  const server = await Server.start({
    tasks: {
      getTask: () => {
        throw refused;
      },
    },
  });
  const client = connect(server.target);
  try {
    await client.task(TASK_ID);
    assert.fail("the call succeeded");
  } catch (error) {
    assert(error instanceof WorkerpoolError, String(error));
    return error;
  } finally {
    client.close();
    await server.kill();
  }
}

test("a described refusal has reason, cause, next step, code and facts", async () => {
  const error = await errorFor(refusal(Code.NotFound, "UNKNOWN_TASK", "no task; a or b; look again", "look again"));
  assert.equal(error.reason, "UNKNOWN_TASK");
  assert.equal(error.cause, "no task; a or b");
  assert.equal(error.nextStep, "look again");
  assert.equal(error.code, Code.NotFound);
  assert.deepEqual(error.details, { fact: "7" });
  assert.equal(error.message, "UNKNOWN_TASK: no task; a or b; look again");
});

test("a server that sends no next step of its own has it behind the first semicolon", async () => {
  const error = await errorFor(refusal(Code.NotFound, "UNKNOWN_TASK", "no task; look again; or not"));
  assert.equal(error.message, "UNKNOWN_TASK: no task; look again; or not");
  assert.equal(error.cause, "no task");
  assert.equal(error.nextStep, "look again; or not");
});

test("a next step that the message does not end with is still shown", async () => {
  const error = await errorFor(refusal(Code.NotFound, "UNKNOWN_TASK", "no task", "look again"));
  assert.equal(error.message, "UNKNOWN_TASK: no task; look again");
});

test("a refusal that names no next step gets that of its status", async () => {
  const error = await errorFor(refusal(Code.Unauthenticated, "UNAUTHENTICATED", "wrong password"));
  assert.match(error.message, /^UNAUTHENTICATED: wrong password; check the user name/);
});

test("without a description the name of the status is the reason", async () => {
  assert.match((await errorFor(new ConnectError("broken", Code.DataLoss))).message, /^DATA_LOSS: broken; look for/);
  assert.match((await errorFor(new ConnectError("", Code.ResourceExhausted))).message, /^RESOURCE_EXHAUSTED: RES.+; ./);
});

test("a cancellation by the server is spelled as gRPC does", async () => {
  assert.match((await errorFor(new ConnectError("no more", Code.Canceled))).message, /^CANCELLED: no more; ./);
});

test("a method that the server does not know says what to check", async () => {
  const server = await Server.start({});
  const client = connect(server.target);
  await assert.rejects(client.explain(TASK_ID), /^WorkerpoolError: UNIMPLEMENTED: .+same version$/);
  client.close();
  await server.kill();
});

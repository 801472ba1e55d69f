import assert from "node:assert/strict";
import { test } from "node:test";

import { Code, connect, TaskStatus } from "@workerpool/client";

import { type Answers, failing, Server, TASK_ID, WALLETS } from "./server.js";

/** Run `use` with a client of a server with these answers, and with the server. */
async function withClient(
  answers: Answers,
  use: (client: ReturnType<typeof connect>) => Promise<void>,
  deadlineMs = 10_000,
): Promise<void> {
  const server = await Server.start(answers);
  const client = connect(server.target, undefined, { deadlineMs });
  try {
    await use(client);
  } finally {
    client.close();
    await server.kill();
  }
}

test("a read is repeated while the server is unavailable", async () => {
  const { handler, calls } = failing(3, Code.Unavailable, { status: TaskStatus.RUNNING });
  await withClient({ tasks: { explainTask: handler } }, async (client) => {
    assert.equal((await client.explain(TASK_ID)).status, TaskStatus.RUNNING);
    assert.equal(calls.length, 4);
  });
});

test("after four attempts the read fails", async () => {
  const { handler, calls } = failing(9, Code.Unavailable, {});
  await withClient({ tasks: { explainTask: handler } }, async (client) => {
    await assert.rejects(client.explain(TASK_ID), { reason: "UNREACHABLE", code: Code.Unavailable });
    assert.equal(calls.length, 4);
  });
});

for (const code of [Code.NotFound, Code.Internal, Code.DeadlineExceeded, Code.ResourceExhausted]) {
  test(`${Code[code]} is not repeated`, async () => {
    const { handler, calls } = failing(1, code, {});
    await withClient({ tasks: { explainTask: handler } }, async (client) => {
      await assert.rejects(client.explain(TASK_ID), { code });
      assert.equal(calls.length, 1);
    });
  });
}

test("a change is not repeated", async () => {
  const { handler, calls } = failing(1, Code.Unavailable, {});
  await withClient({ pool: { drainWorker: handler } }, async (client) => {
    await assert.rejects(client.pool.drainWorker({ walletAddress: WALLETS[0] }), { code: Code.Unavailable });
    assert.equal(calls.length, 1);
  });
});

test("logs are not read again with a challenge that may be used", async () => {
  const { handler, calls } = failing(1, Code.Unavailable, {});
  const tasks = { createLogChallenge: () => ({ typedDataJson: "{}" }), getTaskLogs: handler };
  await withClient({ tasks }, async (client) => {
    await assert.rejects(client.requesterLogs(TASK_ID, WALLETS[0], () => "0x"), { code: Code.Unavailable });
    assert.equal(calls.length, 1);
  });
});

test("the deadline ends the pauses too", async () => {
  const { handler, calls } = failing(9, Code.Unavailable, {});
  await withClient(
    { tasks: { explainTask: handler } },
    async (client) => {
      await assert.rejects(client.explain(TASK_ID), { reason: "DEADLINE_EXCEEDED" });
      assert(calls.length < 4, `${calls.length} calls`);
    },
    60,
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { Code, connect, ReasonCode, TaskStatus } from "@workerpool/client";

import { type Answers, refusal, Server, TASK_ID, WALLETS } from "./server.js";

/** Run `use` with a client of a server with these answers. */
async function withClient(answers: Answers, use: (client: ReturnType<typeof connect>) => Promise<void>): Promise<void> {
  const server = await Server.start(answers);
  const client = connect(server.target);
  try {
    await use(client);
  } finally {
    client.close();
    await server.kill();
  }
}

test("workers come from all pages", async () => {
  const pages: string[] = [];
  const pool: Answers["pool"] = {
    listWorkers: ({ pageToken }) => {
      pages.push(pageToken);
      const page = Number(pageToken || "0");
      const workers = [{ walletAddress: WALLETS[page] }];
      return { workers, nextPageToken: page < 2 ? String(page + 1) : "" };
    },
  };
  await withClient({ pool }, async (client) => {
    const found: string[] = [];
    for await (const { walletAddress } of client.workers()) found.push(walletAddress);
    assert.deepEqual(found, WALLETS);
    assert.deepEqual(pages, ["", "1", "2"]);
  });
});

test("a task and its explanation are read by the id", async () => {
  const tasks: Answers["tasks"] = {
    getTask: ({ taskId }) => ({ task: { taskId, status: TaskStatus.RUNNING } }),
    explainTask: () => ({ status: TaskStatus.RUNNING, reason: { code: ReasonCode.COMPUTING } }),
  };
  await withClient({ tasks }, async (client) => {
    assert.equal((await client.task(TASK_ID)).taskId, TASK_ID);
    assert.equal((await client.explain(TASK_ID)).reason?.code, ReasonCode.COMPUTING);
  });
});

test("a call without an answer ends at the deadline, which the server receives", async () => {
  let told: string | null = null;
  const server = await Server.start({
    tasks: {
      getTask: async (_, call) => {
        told = call.requestHeader.get("grpc-timeout");
        await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
        throw refusal(Code.Canceled, "LATE", "late");
      },
    },
  });
  const client = connect(server.target, undefined, { deadlineMs: 300 });
  await assert.rejects(client.task(TASK_ID), /^WorkerpoolError: DEADLINE_EXCEEDED: .+; check that the address/);
  assert.equal(told, "300m");
  client.close();
  await server.kill();
});

/** Answers of a server that keeps the logs of three workers, of which the first two fit into one answer. */
function logAnswers(): { tasks: Answers["tasks"]; signatures: string[] } {
  const signatures: string[] = [];
  let challenges = 0;
  const tasks: Answers["tasks"] = {
    createLogChallenge: () => ({ typedDataJson: `{"number":${(challenges += 1)}}` }),
    getTaskLogs: ({ signature, walletAddress }) => {
      if (signatures.includes(signature)) throw refusal(Code.FailedPrecondition, "BAD_CHALLENGE", "used; sign again");
      signatures.push(signature);
      const [one, two, three] = WALLETS;
      const of = (wallet: string) => ({ walletAddress: wallet, stdout: `out of ${wallet}`, stderr: "" });
      return walletAddress ? { computeLogs: [of(walletAddress)] } : { computeLogs: [of(one), of(three)], leftOut: [two] };
    },
  };
  return { tasks, signatures };
}

test("logs are read with a signed challenge for each answer", async () => {
  const { tasks, signatures } = logAnswers();
  await withClient({ tasks }, async (client) => {
    const sign = (json: string) => `signed ${json}`;
    const logs = await client.requesterLogs(TASK_ID, WALLETS[0], sign);
    assert.deepEqual(logs.map((each) => each.walletAddress), WALLETS);
    assert.deepEqual(signatures, ['signed {"number":1}', 'signed {"number":2}']);
  });
});

test("a signer that fails fails the call with its own error", async () => {
  const { tasks } = logAnswers();
  await withClient({ tasks }, async (client) => {
    const sign = () => Promise.reject(new Error("no wallet"));
    await assert.rejects(client.requesterLogs(TASK_ID, WALLETS[0], sign), { message: "no wallet" });
  });
});

test("a closed client ends its calls", async () => {
  const tasks: Answers["tasks"] = {
    getTask: async (_, call) => {
      arrived();
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
      return {};
    },
  };
  let arrived = () => {};
  const called = new Promise<void>((resolve) => (arrived = resolve));
  await withClient({ tasks }, async (client) => {
    const call = assert.rejects(client.task(TASK_ID), { reason: "CANCELLED" });
    await called;
    client.close();
    await call;
  });
});

import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Code, connect, type Task, TaskStatus } from "@workerpool/client";

import { type Answers, refusal, Server, TASK_ID, type TaskFields } from "./server.js";

type Watch = NonNullable<NonNullable<Answers["tasks"]>["watchTask"]>;

const of = (status: TaskStatus): { task: TaskFields } => ({ task: { taskId: TASK_ID, status } });

/** Return a watch that sends these states. */
function sends(...states: TaskStatus[]): Watch {
  return async function* () {
    yield* states.map(of);
  };
}

/** Return the statuses of all tasks, in order. */
async function statuses(tasks: AsyncIterable<Task>): Promise<TaskStatus[]> {
  const found: TaskStatus[] = [];
  for await (const task of tasks) found.push(task.status);
  return found;
}

/** Wait until a call is cancelled. */
function cancelled(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });
}

async function withServer(watch: Watch, use: (target: string, server: Server) => Promise<void>): Promise<void> {
  const server = await Server.start({ tasks: { watchTask: watch } });
  try {
    await use(server.target, server);
  } finally {
    await server.kill();
  }
}

for (const end of [TaskStatus.COMPLETED, TaskStatus.FAILED]) {
  test(`a watch ends with ${TaskStatus[end]}`, async () => {
    await withServer(sends(TaskStatus.RECEIVED, TaskStatus.RUNNING, end), async (target) => {
      const client = connect(target);
      assert.deepEqual(await statuses(client.watchTask(TASK_ID)), [TaskStatus.RECEIVED, TaskStatus.RUNNING, end]);
      client.close();
    });
  });
}

test("a watch has no deadline", async () => {
  let told: string | null = "";
  const watch: Watch = async function* (_, call) {
    told = call.requestHeader.get("grpc-timeout");
    yield of(TaskStatus.COMPLETED);
  };
  await withServer(watch, async (target) => {
    const client = connect(target, undefined, { deadlineMs: 5_000 });
    await statuses(client.watchTask(TASK_ID));
    assert.equal(told, null);
    client.close();
  });
});

test("a watch continues after a restart of the server", async () => {
  const first: Watch = async function* (_, call) {
    yield of(TaskStatus.RUNNING);
    await cancelled(call.signal);
  };
  const server = await Server.start({ tasks: { watchTask: first } });
  const { port } = server;
  const client = connect(server.target);
  const found: TaskStatus[] = [];
  let second: Server | undefined;
  for await (const { status } of client.watchTask(TASK_ID)) {
    found.push(status);
    if (second === undefined) {
      await server.kill();
      await sleep(1_000); // Longer than the retries of a read take.
      second = await Server.start({ tasks: { watchTask: sends(TaskStatus.COMPLETED) } }, { port });
    }
  }
  assert.deepEqual(found, [TaskStatus.RUNNING, TaskStatus.COMPLETED]);
  client.close();
  await second?.kill();
});

test("a watch continues after UNAVAILABLE, more often than a read", async () => {
  let calls = 0;
  const watch: Watch = async function* () {
    calls += 1;
    if (calls === 11) {
      yield of(TaskStatus.COMPLETED);
      return;
    }
    if (calls === 6) yield of(TaskStatus.RUNNING);
    throw refusal(Code.Unavailable, "SERVICE_STARTING", "starting; wait");
  };
  await withServer(watch, async (target) => {
    const client = connect(target);
    assert.deepEqual(await statuses(client.watchTask(TASK_ID)), [TaskStatus.RUNNING, TaskStatus.COMPLETED]);
    client.close();
  });
});

test("a watch fails with the server's reason after its patience, and tells how long it waited", async () => {
  let calls = 0;
  const watch: Watch = async function* () {
    calls += 1;
    throw refusal(Code.Unavailable, "SERVICE_STARTING", "starting; wait");
  };
  await withServer(watch, async (target) => {
    const client = connect(target, undefined, { watchPatienceMs: 400 });
    await assert.rejects(statuses(client.watchTask(TASK_ID)), { message: /^SERVICE_STARTING: starting \(waited 0\.\d s\); wait$/ });
    assert.ok(calls > 1);
    client.close();
  });
});

test("a server that stays away ends the watch after its patience", async () => {
  const server = await Server.start({});
  const { target } = server;
  await server.kill();
  const client = connect(target, undefined, { watchPatienceMs: 400 });
  await assert.rejects(statuses(client.watchTask(TASK_ID)), { reason: "UNREACHABLE", cause: / \(waited \d+\.\d s\)$/ });
  client.close();
});

test("the silence before a failure is no part of the patience", async () => {
  let calls = 0;
  const watch: Watch = async function* () {
    calls += 1;
    yield of(calls === 1 ? TaskStatus.RUNNING : TaskStatus.COMPLETED);
    await sleep(800);
    throw refusal(Code.Unavailable, "SERVICE_STARTING", "starting; wait");
  };
  await withServer(watch, async (target) => {
    const client = connect(target, undefined, { watchPatienceMs: 400 });
    assert.deepEqual(await statuses(client.watchTask(TASK_ID)), [TaskStatus.RUNNING, TaskStatus.COMPLETED]);
    client.close();
  });
});

test("a watch continues if the server ends it too early", async () => {
  let calls = 0;
  const watch: Watch = async function* () {
    calls += 1;
    yield of(calls === 1 ? TaskStatus.RUNNING : TaskStatus.COMPLETED);
  };
  await withServer(watch, async (target) => {
    const client = connect(target);
    assert.deepEqual(await statuses(client.watchTask(TASK_ID)), [TaskStatus.RUNNING, TaskStatus.COMPLETED]);
    client.close();
  });
});

test("an unknown task ends the watch at once", async () => {
  let calls = 0;
  const watch: Watch = async function* () {
    calls += 1;
    throw refusal(Code.NotFound, "UNKNOWN_TASK", "no such task; check the id");
  };
  await withServer(watch, async (target) => {
    const client = connect(target);
    await assert.rejects(statuses(client.watchTask(TASK_ID)), { message: "UNKNOWN_TASK: no such task; check the id" });
    assert.equal(calls, 1);
    client.close();
  });
});

/** Return a watch that sends one state and then waits, and a promise of its cancellation. */
function endless(): { watch: Watch; ended: Promise<void> } {
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const watch: Watch = async function* (_, call) {
    void cancelled(call.signal).then(end);
    yield of(TaskStatus.RUNNING);
    await cancelled(call.signal);
  };
  return { watch, ended };
}

test("a loop that is left cancels the call at the server", async () => {
  const { watch, ended } = endless();
  await withServer(watch, async (target) => {
    const client = connect(target);
    for await (const task of client.watchTask(TASK_ID)) {
      assert.equal(task.status, TaskStatus.RUNNING);
      break;
    }
    await ended;
    client.close();
  });
});

test("an aborted signal ends the watch and cancels the call at the server", async () => {
  const { watch, ended } = endless();
  await withServer(watch, async (target) => {
    const client = connect(target);
    const abort = new AbortController();
    const all = async () => {
      for await (const _ of client.watchTask(TASK_ID, { signal: abort.signal })) abort.abort();
    };
    await assert.rejects(all, { reason: "CANCELLED" });
    await ended;
    client.close();
  });
});

test("an aborted signal ends the wait for a connection", async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  const client = connect(`https://localhost:${port}`);
  const abort = new AbortController();
  silent.once("connection", () => abort.abort());
  await assert.rejects(statuses(client.watchTask(TASK_ID, { signal: abort.signal })), { reason: "CANCELLED" });
  client.close();
  silent.close();
});

/**
 * List a pool's workers, follow a task to its end, and print its timeline, and why it failed.
 *
 * Exit codes: 0 the task is COMPLETED, 3 it FAILED, 1 an error, 2 wrong usage.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { basic, type Client, connect, Fault, ReasonCode, type Task, TaskStatus, WorkerpoolError } from "@workerpool/client";

import { printLogs } from "./logs.js";
import { timeline } from "./timeline.js";

const USAGE =
  "usage: example TARGET TASK_ID [--ca FILE] [--user NAME --password-file FILE] [--wallet-key-file FILE]";

/** The arguments of the command line. */
interface Arguments {
  readonly target: string;
  readonly taskId: string;
  readonly ca?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly walletKeyFile?: string;
}

/** Return the arguments, undefined when they are wrong. */
function argumentsOf(line: string[]): Arguments | undefined {
  const file = { type: "string" } as const;
  try {
    const { values, positionals } = parseArgs({
      args: line,
      allowPositionals: true,
      options: { ca: file, user: file, "password-file": file, "wallet-key-file": file },
    });
    const [target, taskId, ...more] = positionals;
    const { ca, user, "password-file": passwordFile, "wallet-key-file": walletKeyFile } = values;
    if (target === undefined || taskId === undefined || more.length > 0) return undefined;
    if ((user === undefined) !== (passwordFile === undefined)) return undefined;
    return { target, taskId, ca, user, passwordFile, walletKeyFile };
  } catch {
    return undefined;
  }
}

/** Print the pool and its workers. */
async function printPool(client: Client): Promise<void> {
  const { workerpool, version } = await client.pool.getPoolStatus({});
  console.log(`pool ${workerpool} version ${version}`);
  let count = 0;
  for await (const worker of client.workers()) {
    const presence = worker.connected ? "connected" : "away";
    console.log(`worker ${worker.walletAddress} name=${worker.name} slots=${worker.slots} ${presence}`);
    count += 1;
  }
  console.log(`workers ${count}`);
}

/** Follow a task to its end and return it; the progress goes to stderr. */
async function follow(client: Client, taskId: string): Promise<Task> {
  let last: Task | undefined;
  let shown = "";
  for await (const task of client.watchTask(taskId)) {
    const waits = task.reason ? `: ${task.reason.sentence} ${task.reason.nextStep}` : "";
    const line = `… ${TaskStatus[task.status]}${waits}`;
    if (line !== shown) console.error(line);
    [last, shown] = [task, line];
  }
  if (last === undefined) throw new TypeError("a watch sends the task at least once");
  return last;
}

/** Print a task that has ended: its timeline, why it failed, its result. */
function printEnd(task: Task): void {
  console.log(`task ${task.taskId}`);
  for (const line of timeline(task)) console.log(line);
  if (task.reason) {
    const { code, fault, sentence, nextStep } = task.reason;
    console.log(`reason ${ReasonCode[code]} ${fault === Fault.UNSPECIFIED ? "-" : Fault[fault]}: ${sentence}`);
    console.log(`next ${nextStep}`);
  }
  console.log(`${TaskStatus[task.status]} ${task.resultLink || "-"}`);
}

/** Run the program and return its exit code. */
async function main(given: Arguments): Promise<number> {
  const password = given.passwordFile && readFileSync(given.passwordFile, "utf8").replace(/\r?\n$/, "");
  const credentials = given.user === undefined ? undefined : basic(given.user, password ?? "");
  const client = connect(given.target, credentials, { caFile: given.ca });
  try {
    // Reads are public whatever the credentials are; only a call for operators checks them.
    if (credentials) await client.pool.listRefusals({});
    await printPool(client);
    const task = await follow(client, given.taskId);
    printEnd(task);
    if (given.walletKeyFile) await printLogs(client, task.taskId, given.walletKeyFile);
    return task.status === TaskStatus.COMPLETED ? 0 : 3;
  } finally {
    client.close();
  }
}

const given = argumentsOf(process.argv.slice(2));
if (given === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = await main(given).catch((error: unknown) => {
    // What is no error of the pool is a file that cannot be read, or a key that is none.
    const text = error instanceof Error ? error.message.split("\n")[0] : String(error);
    console.error(error instanceof WorkerpoolError ? text : `INVALID_ARGUMENT: ${text}; correct the arguments`);
    return 1;
  });
}

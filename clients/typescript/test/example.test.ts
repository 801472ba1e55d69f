import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Code, Fault, ReasonCode, ReplicateStatus, ReplicateStatusCause, TaskStatus } from "@workerpool/client";
import { verifyTypedData, Wallet } from "ethers";

import { Certificates } from "./certificates.js";
import { type Answers, refusal, Server, TASK_ID, type TaskFields, WALLETS } from "./server.js";

const files = new Certificates();
after(() => files.remove());
const PROGRAM = fileURLToPath(new URL("../examples/example.js", import.meta.url));

/** Run the example; return its exit code and what it wrote. */
async function run(...given: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...given], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, stdout, stderr };
}

/** Return the last line of a text. */
const lastLine = (text: string) => text.trimEnd().split("\n").at(-1) ?? "";

/** Write a file for the program. */
function file(name: string, text: string): string {
  const path = join(files.folder, name);
  writeFileSync(path, text);
  return path;
}

const ENDED: TaskFields = {
  taskId: TASK_ID,
  history: [
    { status: TaskStatus.RECEIVED },
    { status: TaskStatus.INITIALIZED, chainReceipt: { blockNumber: 12n } },
    { status: TaskStatus.RUNNING, chainReceipt: { blockNumber: 0n } },
  ],
  replicates: [
    { walletAddress: WALLETS[1], history: [{ status: ReplicateStatus.CREATED }] },
    {
      walletAddress: WALLETS[0],
      history: [
        { status: ReplicateStatus.CREATED },
        { status: ReplicateStatus.ABORTED, cause: ReplicateStatusCause.REVEAL_TIMEOUT },
      ],
    },
  ],
};

/** Return the answers of a pool with two workers and one task that ends as told. */
function poolWith(end: TaskFields): { tasks: NonNullable<Answers["tasks"]>; pool: NonNullable<Answers["pool"]> } {
  return {
    pool: {
      getPoolStatus: () => ({ workerpool: "0xPool", version: "0.1.0" }),
      listWorkers: () => ({
        workers: [
          { walletAddress: WALLETS[0], name: "one", slots: 1, connected: true },
          { walletAddress: WALLETS[1], name: "two", slots: 4 },
        ],
      }),
    },
    tasks: {
      watchTask: async function* () {
        yield { task: { taskId: TASK_ID, status: TaskStatus.RUNNING } };
        yield { task: { ...ENDED, ...end } };
      },
    },
  };
}

const HEAD = `pool 0xPool version 0.1.0
worker ${WALLETS[0]} name=one slots=1 connected
worker ${WALLETS[1]} name=two slots=4 away
workers 2
task ${TASK_ID}
  RECEIVED
  INITIALIZED block 12
  RUNNING
    ${WALLETS[0]} CREATED
    ${WALLETS[0]} ABORTED REVEAL_TIMEOUT
    ${WALLETS[1]} CREATED
`;

/** Run the example against a pool; return what it did. */
async function runAgainst(answers: Answers, ...given: string[]): ReturnType<typeof run> {
  const server = await Server.start(answers);
  return run(server.target, TASK_ID, ...given).finally(() => server.kill());
}

test("a completed task: its timeline and its result", async () => {
  const done = await runAgainst(poolWith({ status: TaskStatus.COMPLETED, resultLink: "/ipfs/Qm" }));
  assert.equal(done.stdout, `${HEAD}COMPLETED /ipfs/Qm\n`);
  assert.equal(done.stderr, "… RUNNING\n… COMPLETED\n");
  assert.equal(done.code, 0);
});

test("a failed task: why, what to do, and exit code 3", async () => {
  const reason = { code: ReasonCode.APP_FAILED, fault: Fault.APP, sentence: "The app failed.", nextStep: "Correct it." };
  const done = await runAgainst(poolWith({ status: TaskStatus.FAILED, reason }));
  assert.equal(done.stdout, `${HEAD}reason APP_FAILED APP: The app failed.\nnext Correct it.\nFAILED -\n`);
  assert.equal(done.code, 3);
});

test("a reason on no side's fault", async () => {
  const done = await runAgainst(poolWith({ status: TaskStatus.FAILED, reason: { code: ReasonCode.NO_FREE_SLOT } }));
  assert.match(done.stdout, /^reason NO_FREE_SLOT -: $/m);
});

test("logs are read with the requester's signature of the challenge", async () => {
  const wallet = Wallet.createRandom();
  const domain = { name: "iExec Core", version: "1", chainId: 65_535 };
  const types = { Challenge: [{ name: "challenge", type: "string" }] };
  const own = [
    { name: "name", type: "string" },
    { name: "version", type: "string" },
    { name: "chainId", type: "uint256" },
  ];
  const message = { challenge: "c" };
  const answers = poolWith({ status: TaskStatus.COMPLETED });
  answers.tasks.createLogChallenge = () => ({
    typedDataJson: JSON.stringify({ types: { EIP712Domain: own, ...types }, primaryType: "Challenge", domain, message }),
  });
  answers.tasks.getTaskLogs = ({ address, signature }) => {
    assert.equal(verifyTypedData(domain, types, message, signature), address);
    return { computeLogs: [{ walletAddress: WALLETS[0], stdout: "hello\nworld\n", stderr: "oh\n" }] };
  };
  const done = await runAgainst(answers, "--wallet-key-file", file("key", `${wallet.privateKey}\n`));
  assert.equal(
    done.stdout,
    `${HEAD}COMPLETED -\nlogs\n${WALLETS[0]} stdout\n  hello\n  world\n${WALLETS[0]} stderr\n  oh\n`,
  );
  assert.equal(done.code, 0);
});

test("a wrong password: one line on stderr, nothing on stdout, exit code 1", async () => {
  const answers = poolWith({ status: TaskStatus.COMPLETED });
  answers.pool.listRefusals = () => {
    throw refusal(Code.Unauthenticated, "UNAUTHENTICATED", "wrong password; correct it", "correct it");
  };
  const done = await runAgainst(answers, "--user", "admin", "--password-file", file("password", "x\n"));
  assert.deepEqual(done, { code: 1, stdout: "", stderr: "UNAUTHENTICATED: wrong password; correct it\n" });
});

test("the password is that of the file, without its end of line", async () => {
  let header: string | null = null;
  const answers = poolWith({ status: TaskStatus.COMPLETED });
  answers.pool.listRefusals = (_, call) => {
    header = call.requestHeader.get("authorization");
    return {};
  };
  await runAgainst(answers, "--user", "admin", "--password-file", file("password", " x\n"));
  assert.equal(header, `Basic ${Buffer.from("admin: x").toString("base64")}`);
});

test("files that cannot be read are errors in one line", async () => {
  for (const given of [["--ca", "/nonexistent"], ["--user", "a", "--password-file", "/nonexistent"]]) {
    const done = await run("https://localhost:1", TASK_ID, ...given);
    assert.match(lastLine(done.stderr), /^[A-Z][A-Z0-9_]*: .+\/nonexistent.+; .+$/);
    assert.equal(done.code, 1);
  }
});

test("wrong usage is reported on stderr, with exit code 2", async () => {
  for (const given of [[], ["a"], ["a", "b", "c"], ["a", "b", "--user", "c"], ["a", "b", "--what"]]) {
    const done = await run(...given);
    assert.equal(done.code, 2, given.join(" "));
    assert.match(done.stderr, /^usage: /);
  }
});

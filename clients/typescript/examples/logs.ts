/** The logs of a task, read with the requester's signed challenge. */
import { readFileSync } from "node:fs";

import type { Client } from "@workerpool/client";
import { type TypedDataDomain, type TypedDataField, Wallet } from "ethers";

/** EIP-712 typed data. */
interface TypedData {
  readonly domain: TypedDataDomain;
  readonly types: Record<string, TypedDataField[]>;
  readonly message: Record<string, unknown>;
}

/** Print the output of each replicate's app, for the requester whose private key is in a file. */
export async function printLogs(client: Client, taskId: string, keyFile: string): Promise<void> {
  const wallet = new Wallet(readFileSync(keyFile, "utf8").trim());
  const logs = await client.requesterLogs(taskId, wallet.address, (typedDataJson) => {
    const { domain, types, message } = JSON.parse(typedDataJson) as TypedData;
    // ethers derives the type of the domain itself.
    const { EIP712Domain: _, ...own } = types;
    return wallet.signTypedData(domain, own, message);
  });
  console.log("logs");
  for (const { walletAddress, stdout, stderr } of logs) {
    for (const [stream, text] of Object.entries({ stdout, stderr })) {
      console.log(`${walletAddress} ${stream}`);
      for (const line of text.split("\n").filter((each) => each !== "")) console.log(`  ${line}`);
    }
  }
}

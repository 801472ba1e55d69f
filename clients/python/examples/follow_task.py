"""Follow a task of a workerpool to its end, then print its timeline and why it failed.

Usage: follow_task.py TARGET TASK_ID [--ca FILE] [--user NAME --password-file FILE]
Exit code: 0 COMPLETED, 3 FAILED, 1 error, 2 usage.
"""

import argparse
import sys
from pathlib import Path

from workerpool_client import (
    Client,
    WorkerpoolError,
    basic,
    cause_name,
    connect,
    fault_name,
    reason_name,
    replicate_status_name,
    task_status_name,
)
from workerpool_protocol.core.v1 import pool_service_pb2, task_pb2

FAILED = 3


def show_pool(client: Client) -> None:
    """Print the pool and its workers."""
    pool = client.status()
    print(f"pool {pool.workerpool} version {pool.version}")
    count = 0
    for worker in client.workers():
        state = "connected" if worker.connected else "away"
        print(f"worker {worker.wallet_address} name={worker.name} slots={worker.slots} {state}")
        count += 1
    print(f"workers {count}")


def follow(client: Client, task_id: str) -> task_pb2.Task:
    """Follow a task to its end; return it as it is then."""
    task = task_pb2.Task()
    for task in client.watch_task(task_id):
        print(f"… {task_status_name(task.status)}", file=sys.stderr)
    return task


def show_timeline(task: task_pb2.Task) -> None:
    """Print the histories of a task and of its replicates."""
    print(f"task {task.task_id}")
    for entry in task.history:
        block = entry.chain_receipt.block_number
        print(f"  {task_status_name(entry.status)}" + (f" block {block}" if block else ""))
    for replicate in sorted(task.replicates, key=lambda each: each.wallet_address):
        for change in replicate.history:
            words = [
                replicate.wallet_address,
                replicate_status_name(change.status),
                cause_name(change.cause),
            ]
            print("    " + " ".join(filter(None, words)))


def show_outcome(task: task_pb2.Task) -> None:
    """Print why a task waits or failed, and its result."""
    if task.HasField("reason"):
        reason = task.reason
        print(f"reason {reason_name(reason.code)} {fault_name(reason.fault) or '-'}: {reason.sentence}")
        print(f"next {reason.next_step}")
    print(f"{task_status_name(task.status)} {task.result_link or '-'}")


def main(arguments: list[str]) -> int:
    """Run the program; return its exit code."""
    parser = argparse.ArgumentParser(description="follow a task of a workerpool to its end")
    parser.add_argument("target", metavar="TARGET", help="gRPC address of core")
    parser.add_argument("task_id", metavar="TASK_ID")
    parser.add_argument("--ca", metavar="FILE", help="authorities of the pool's certificate")
    parser.add_argument("--user", metavar="NAME", help="operator's user name")
    parser.add_argument(
        "--password-file", metavar="FILE", type=Path, help="file with the operator's password"
    )
    given = parser.parse_args(arguments)
    if (given.user is None) != (given.password_file is None):
        parser.error("--user and --password-file belong together")
    credentials = basic(given.user, given.password_file.read_text().rstrip("\n")) if given.user else None
    try:
        with connect(given.target, credentials, ca_file=given.ca) as client:
            if credentials is not None:
                # Reads are public, so only a call for operators tells that the password is wrong.
                client.pool.ListRefusals(pool_service_pb2.ListRefusalsRequest())
            show_pool(client)
            task = follow(client, given.task_id)
            show_timeline(task)
            show_outcome(task)
    except WorkerpoolError as error:
        print(error, file=sys.stderr)
        return 1
    return FAILED if task_status_name(task.status) == "FAILED" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A process that sends transactions by the pipeline and kills itself with SIGKILL after so many steps.

A step is the moment before, and the moment after, each read, write and send; so the process may die between any two of
them. Each job sends 1 wei to an address of its own: the balance there counts the effects.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from workerpool_devnet.market import accounts
from workerpool_kit.clock import SystemClock
from workerpool_kit.sqlite_file import SqliteFile
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.errors import ChainUnreachable
from workerpool_transactions.adapters.asyncio_timer import AsyncioTimer
from workerpool_transactions.adapters.detect import detect_profile
from workerpool_transactions.adapters.rpc_node import RpcNode
from workerpool_transactions.adapters.wallet_signer import WalletSigner
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.entry import Call, Entry, EntryState
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import ChainProfile
from workerpool_transactions.simulation.process.life import Life, LifeJournal, LifeNode
from workerpool_worker.adapters import sqlite_transactions
from workerpool_worker.adapters.sqlite_transactions import SqliteTransactions
from workerpool_worker.errors import JournalUnusable

ROLE = "soaked wallet"
CAP = 2_000_000_000
IN_FLIGHT = 64
GAS = 21_000
UNEXPECTED = 3
"""Exit code when a transaction ended otherwise than mined: nothing but the pipeline uses the wallet."""
_SUBMITTED_TOGETHER = 8


def recipient(job: int) -> str:
    """Return the address whose balance counts the effects of a job."""
    return "0x" + hashlib.sha256(f"job {job}".encode()).hexdigest()[:40]


def label(job: int) -> str:
    """Return the label of a job."""
    return f"JOB:{job}"


class DoomedLife(Life):
    """Kills the whole process at a step."""

    def __init__(self, kill_after: int) -> None:
        self._left = kill_after

    def step(self) -> None:
        """Mark a step; the last one does not return."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _nothing(connection: sqlite3.Connection) -> None:
    """Read nothing when the file is opened."""


def _give_up(error: Exception) -> None:
    sys.exit(f"the journal failed: {error}")


def open_journal(path: Path) -> SqliteFile:
    """Return the file of a wallet's journal, not yet open."""
    return SqliteFile(
        path,
        schema=sqlite_transactions.SCHEMA,
        version=1,
        unusable=JournalUnusable,
        on_failure=_give_up,
    )


class Process:
    """One life of the wallet's process."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._life = DoomedLife(options.kill_after)
        self._unexpected = list[Entry]()

    async def run(self) -> int:
        """Send every job, and return once all are mined."""
        options = self._options
        file = open_journal(options.journal)
        await file.open(_nothing)
        wallet = accounts.derive(ROLE)
        policy = FeePolicy(cap=CAP)
        async with contextlib.AsyncExitStack() as stack:
            rpc = JsonRpc(options.node)
            stack.push_async_callback(rpc.close)
            profile = await _until_answered(rpc, options.chain_id, policy, options.shape)
            stored = SqliteTransactions(file, chain_id=options.chain_id, wallet=wallet.address)
            journal = LifeJournal(self._life, stored)
            pipeline = Pipeline(
                node=LifeNode(self._life, RpcNode(rpc, wallet.address)),
                journal=journal,
                signer=WalletSigner(wallet, options.chain_id),
                clock=SystemClock(),
                timer=AsyncioTimer(),
                policy=policy,
                profile=profile,
                settle=self._settle,
                restore=self._restore,
                block_time_s=0.25,
                max_in_flight=IN_FLIGHT,
            )
            await pipeline.resume()
            actor = asyncio.create_task(pipeline.run())
            work = asyncio.create_task(self._work(pipeline, journal))
            done, _ = await asyncio.wait({actor, work}, return_when=asyncio.FIRST_COMPLETED)
            if actor in done:
                actor.result()
                raise RuntimeError("the pipeline ended by itself")
            actor.cancel()
            await asyncio.wait({actor})
        await file.close()
        return UNEXPECTED if self._unexpected else 0

    async def _work(self, pipeline: Pipeline, journal: LifeJournal) -> None:
        total = self._options.jobs
        first = await self._first_new(journal, total)
        for start in range(first, total, _SUBMITTED_TOGETHER):
            while pipeline.room < _SUBMITTED_TOGETHER:
                await asyncio.sleep(0.02)
            jobs = range(start, min(start + _SUBMITTED_TOGETHER, total))
            await pipeline.submit([Call(recipient(job), b"", GAS, (label(job),), value=1) for job in jobs])
            self._life.step()
        for entry in await journal.live():
            await pipeline.wait(entry.nonce)

    async def _first_new(self, journal: LifeJournal, total: int) -> int:
        """Return the first job without an entry; they are submitted in order."""
        low, high = 0, total
        while low < high:
            middle = (low + high) // 2
            if await journal.labelled(label(middle)):
                low = middle + 1
            else:
                high = middle
        return low

    async def _settle(self, entries: Sequence[Entry]) -> None:
        self._life.step()
        for each in entries:
            if each.state is not EntryState.MINED:
                self._unexpected.append(each)
                sys.stderr.write(f"nonce {each.nonce} ended as {each.state}\n")

    async def _restore(self, entries: Sequence[Entry]) -> None:
        self._life.step()


async def _until_answered(rpc: JsonRpc, chain_id: int, policy: FeePolicy, shape: str) -> ChainProfile:
    while True:
        try:
            return await detect_profile(rpc, chain_id, policy=policy, shape=shape)
        except ChainUnreachable:
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m soak.wallet_process", description=__doc__)
    parser.add_argument("--node", required=True)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--chain-id", type=int, required=True)
    parser.add_argument("--shape", required=True)
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--kill-after", type=int, required=True)
    sys.exit(asyncio.run(Process(parser.parse_args()).run()))

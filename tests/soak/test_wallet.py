"""One wallet, real chains, kill -9 at every step: each transaction has its effect once, and none is stuck."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sequencer.process import ProxyProcess
from soak.wallet_process import CAP, ROLE, open_journal, recipient
from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.market import accounts
from workerpool_transactions.domain.entry import Entry
from workerpool_worker.adapters.sqlite_transactions import SqliteTransactions

ROOT = Path(__file__).resolve().parents[1]
FAULTS: dict[str, Any] = {
    "block_time_s": 0.25,
    "base_fee_wei": 100_000_000,
    "spike_probability": 0.3,
    "spike_percent": 400,
    "gap_hold_s": 1.0,
    "late_probability": 0.02,
    "late_s": 12.0,
    "drop_probability": 0.03,
    "deadline_probability": 0.03,
    "cut_probability": 0.01,
}
"""An offer of twice the base fee does not survive such a spike."""
LIFE_S = 600.0
"""Longest life of one process: a stuck transaction would never end it."""


class Soak:
    """Runs the wallet's process again and again until every job is done."""

    def __init__(self, shape: str, jobs: int, folder: Path) -> None:
        self.shape, self.jobs = shape, jobs
        self.lives = 0
        self._journal = folder / "journal.sqlite"
        self._log = folder / "wallet.log"

    def run(self, chain: Chain, node: ProxyProcess, kill_after: Callable[[int], int]) -> None:
        """Start process after process; the n-th one kills itself after `kill_after(n)` steps."""
        with self._log.open("ab") as log:
            while True:
                self.lives += 1
                command = [
                    sys.executable,
                    "-m",
                    "soak.wallet_process",
                    "--node",
                    node.url,
                    "--shape",
                    self.shape,
                ]
                command += ["--journal", str(self._journal), "--chain-id", str(chain.chain_id)]
                command += ["--jobs", str(self.jobs), "--kill-after", str(kill_after(self.lives))]
                ended = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, timeout=LIFE_S, check=False)
                if ended.returncode != -signal.SIGKILL:
                    break
        assert ended.returncode == 0, self._log.read_text()[-3000:]

    def entries(self, chain_id: int) -> list[Entry]:
        """Return everything in the journal."""

        async def read() -> list[Entry]:
            file = open_journal(self._journal)
            await file.open(lambda connection: None)
            journal = SqliteTransactions(file, chain_id=chain_id, wallet=accounts.derive(ROLE).address)
            found = await journal.live() + await journal.ended(0, None)
            await file.close()
            return found

        return asyncio.run(read())


def check(chain: Chain, soak: Soak) -> dict[str, object]:
    """Check effects, nonces and prices; return the figures of the run."""
    balances = [
        int(chain.rpc.call("eth_getBalance", recipient(job), "latest"), 16) for job in range(soak.jobs)
    ]
    assert Counter(balances) == {1: soak.jobs}, "every job has its effect once"
    entries = soak.entries(chain.chain_id)
    count = int(chain.rpc.call("eth_getTransactionCount", accounts.derive(ROLE).address, "latest"), 16)
    assert count == soak.jobs, "each nonce of the chain carries a job: none is burnt"
    assert Counter(each.state.value for each in entries) == {"MINED": soak.jobs}
    offers = [version.offer.max_fee for each in entries for version in each.versions]
    assert max(offers) <= CAP
    replaced = sum(len(each.versions) > 1 for each in entries)
    return {"lives": soak.lives, "transactions": count, "replaced": replaced}


def steps_of(life: int, *, seed: int = 1) -> int:
    """Die at every step of the start once, then anywhere in the work."""
    return life if life <= 25 else random.Random(seed * 10_000 + life).randint(1, 1_500)


def some_steps_of(life: int) -> int:
    """Die a few times early, then anywhere."""
    return 7 * life if life <= 4 else random.Random(life).randint(50, 400)


@pytest.mark.parametrize("shape", ["mempool", "sequencer"])
@pytest.mark.parametrize(
    ("jobs", "kill_after"),
    [
        pytest.param(120, some_steps_of, marks=pytest.mark.full, id="120 transactions"),
        pytest.param(1_000, steps_of, marks=pytest.mark.soak, id="1,000 transactions"),
    ],
)
def test_each_transaction_has_its_effect_once(
    shape: str,
    jobs: int,
    kill_after: Callable[[int], int],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    soak, started = Soak(shape, jobs, tmp_path), time.monotonic()
    with (
        Chain(log=tmp_path / "chain.log") as chain,
        ProxyProcess(chain.port, shape=shape, log=tmp_path / "node.log") as node,
    ):
        node.change(**FAULTS)
        chain.rpc.call("anvil_setBalance", accounts.derive(ROLE).address, hex(10**18))
        soak.run(chain, node, kill_after)
        figures = check(chain, soak) | node.calls()["sends"]
    record_property("figure", f"{shape}: {figures}, {time.monotonic() - started:.0f} s")

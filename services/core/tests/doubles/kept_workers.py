"""What keeps a worker of a scripted pool from work, as steps of a test."""

from workerpool_core.domain import events as e

from services.core.tests.doubles.scripted_pool import ScriptedPool

FOREVER = float("inf")


def drain(pool: ScriptedPool, number: int) -> None:
    pool.handle(e.WorkerDrained(f"0xWorker{number}", pool.now + 60 * number))


def drain_without_end(pool: ScriptedPool, number: int) -> None:
    pool.handle(e.WorkerDrained(f"0xWorker{number}", FOREVER))


def distrust(pool: ScriptedPool, number: int) -> None:
    pool.handle(e.WorkerQuarantined(f"0xWorker{number}", pool.now + 60 * number))


def park(pool: ScriptedPool, number: int) -> None:
    wallet = f"0xWorker{number}"
    pool.handle(e.WorkerParked(wallet, pool.sessions[wallet], "the disk is full"))


def unlist(pool: ScriptedPool, _number: int) -> None:
    pool.handle(e.WhitelistChanged(frozenset({"0xWorker9"})))

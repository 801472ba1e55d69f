"""`make bench-adapter`: transactions per second of the adapter, beside raw sends on the same chain.

Both sides finalize the tasks of one bag, one transaction per task, in interleaved rounds. The raw side signs everything
before the clock starts, and sends without waiting for anything. The adapter gets requests as core sends them. The clock
runs from the first request or send to the block that holds the last transaction. Then a bag of 1,000 tasks is
initialized by the adapter.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
from workerpool_devnet.market.trading import Deal
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.chain.wallet import Transaction
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import TaskId, to_hex
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

from bench.adapter_pool import AdapterPool, adapter_pool
from bench.command import run_and_exit
from bench.proc import cpu_seconds
from bench.report import say, show, verdict, write

CALLS_AT_ONCE, WATCHES_AT_ONCE = 64, 128
"""As core's client of the adapter."""
MAX_IN_FLIGHT = 256
BLOCK_GAS = 30_000_000
"""Gas of a block while the clock runs, as on Ethereum for years: about 80 finalizations."""
BAG = 1_000
TARGET_SHARE, TARGET_TRANSACTIONS = 0.9, 12
_LINK = '{"storage":"ipfs","location":"/ipfs/QmTest"}'
_FINALIZE_GAS = 600_000
_GAS_PRICE = 10**11
"""Of the raw side: above any base fee that a minute of full blocks leads to."""
_ROUND_LIMIT_S = 300.0


async def run(wanted: argparse.Namespace) -> int:
    """Run all rounds; return 0 when every target is met."""
    raw, ours, cpu = list[float](), list[float](), list[dict[str, float]]()
    async with adapter_pool(MAX_IN_FLIGHT) as pool:
        say("adapter ready")
        for number in range(1, wanted.rounds + 1):
            bags = [await asyncio.to_thread(_revealed_bag, pool, wanted.count) for _ in range(2)]
            _measure_blocks(pool)
            raw.append(wanted.count / await _raw(pool, bags[0]))
            used = {name: cpu_seconds(pid) for name, pid in pool.pids.items()}
            ours.append(wanted.count / await _adapter(pool, bags[1]))
            cpu.append(
                {
                    name: 1e3 * (cpu_seconds(pid) - used[name]) / wanted.count
                    for name, pid in pool.pids.items()
                }
            )
            pool.chain.mine_at_once()
            say(
                f"round {number}: raw {raw[-1]:.1f}/s, adapter {ours[-1]:.1f}/s; CPU per transaction of ours: "
                + ", ".join(f"{name} {spent:.1f} ms" for name, spent in cpu[-1].items())
            )
        deal = await asyncio.to_thread(pool.buy, BAG)
        _measure_blocks(pool)
        transactions, seconds, gas = await _initialize(pool, deal)
    return _report(raw, ours, cpu, transactions, seconds, gas, wanted)


def _revealed_bag(pool: AdapterPool, count: int) -> Deal:
    pool.chain.rpc.call("evm_setBlockGasLimit", hex(10**9))
    deal = pool.buy(count)
    pool.initialize(deal)
    pool.reveal(deal)
    return deal


def _measure_blocks(pool: AdapterPool) -> None:
    """Have blocks as a mempool chain has them: one each second, of a limited size."""
    pool.chain.rpc.call("evm_setBlockGasLimit", hex(BLOCK_GAS))
    pool.chain.mine_every(1)


async def _raw(pool: AdapterPool, deal: Deal) -> float:
    """Send signed finalizations one after another on one connection; return the seconds until all are mined."""
    first = pool.owner_nonce()
    signed = [
        pool.owner.sign_transaction(
            Transaction(
                nonce=first + index,
                gas_price=_GAS_PRICE,
                gas=_FINALIZE_GAS,
                to=pool.contracts.hub,
                value=0,
                data=calls.finalize(TaskId(task), _LINK.encode()).data,
                chain_id=pool.chain.chain_id,
            )
        )
        for index, task in enumerate(deal.task_ids)
    ]
    started = time.time()
    rpc = JsonRpc(pool.chain.url)
    try:
        for each in signed:
            await rpc.call("eth_sendRawTransaction", to_hex(each.raw))
        async with asyncio.timeout(_ROUND_LIMIT_S):
            while int(await rpc.call("eth_getTransactionCount", pool.owner.address, "latest"), 16) < (
                first + len(signed)
            ):
                await asyncio.sleep(0.05)
    finally:
        await rpc.close()
    return time.time() - started


async def _adapter(pool: AdapterPool, deal: Deal) -> float:
    """Request finalizations; return the seconds until the adapter reports the last one."""
    started = time.time()

    async def request(task: str) -> Any:
        return await pool.api.Finalize(pb.FinalizeRequest(task_id=task, result_link=_LINK))

    await _completed(pool, deal.task_ids, request, pb.COMMAND_KIND_FINALIZE)
    return time.time() - started


async def _initialize(pool: AdapterPool, deal: Deal) -> tuple[int, float, float]:
    """Return the transactions, the seconds and the gas per task of a bag's initialization."""
    started, indexes = time.time(), {task: index for index, task in enumerate(deal.task_ids)}

    async def request(task: str) -> Any:
        return await pool.api.Initialize(
            pb.InitializeRequest(deal_id=deal.deal_id, task_index=indexes[TaskId(task)])
        )

    commands = await _completed(pool, deal.task_ids, request, pb.COMMAND_KIND_INITIALIZE)
    gas = {each.transaction_hash: each.gas_used for each in commands}
    return len(gas), time.time() - started, sum(gas.values()) / deal.volume


async def _completed(
    pool: AdapterPool, tasks: Sequence[str], request: Callable[[str], Awaitable[Any]], kind: Any
) -> list[Any]:
    """Request commands and follow each to its end, with the limits of core's client."""
    calling, watching = asyncio.Semaphore(CALLS_AT_ONCE), asyncio.Semaphore(WATCHES_AT_ONCE)

    async def watch(task: str) -> Any:
        async for change in pool.api.WatchCommand(pb.WatchCommandRequest(task_id=task, kind=kind)):
            command = change.command
        return command

    async def complete(task: str) -> Any:
        async with calling:
            await _repeated(lambda: request(task))
        async with watching:
            command = await _repeated(lambda: watch(task))
        if command.state != pb.COMMAND_STATE_SUCCESS:
            raise SystemExit(f"bench: a command failed: {command.error_reason} {command.error_message}")
        return command

    async with asyncio.timeout(_ROUND_LIMIT_S):
        return await asyncio.gather(*(complete(task) for task in tasks))


async def _repeated(call: Callable[[], Awaitable[Any]]) -> Any:
    """Repeat a call that the server does not admit, as core does; every call here is idempotent."""
    while True:
        try:
            return await call()
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            await asyncio.sleep(0.05)


def _report(
    raw: list[float],
    ours: list[float],
    cpu: list[dict[str, float]],
    transactions: int,
    seconds: float,
    gas: float,
    wanted: argparse.Namespace,
) -> int:
    shares = [mine / other for mine, other in zip(ours, raw, strict=True)]
    share = statistics.median(shares)
    show(
        f"Finalizations per second, {wanted.rounds} interleaved rounds of {wanted.count} "
        f"(blocks of 1 s and {BLOCK_GAS / 1e6:g} M gas, {MAX_IN_FLIGHT} in flight)",
        ["", *(f"round {number}" for number in range(1, wanted.rounds + 1)), "median"],
        [
            ["raw, signed before", *(f"{each:.1f}" for each in raw), f"{statistics.median(raw):.1f}"],
            ["adapter", *(f"{each:.1f}" for each in ours), f"{statistics.median(ours):.1f}"],
            ["share", *(f"{each:.2f}" for each in shares), f"{share:.2f}"],
        ],
    )
    met = {
        f"at least {TARGET_SHARE:g} of raw sends": share >= TARGET_SHARE,
        f"{BAG:,} tasks initialized in at most {TARGET_TRANSACTIONS} transactions": transactions
        <= TARGET_TRANSACTIONS,
    }
    say(f"{BAG:,} tasks: {transactions} transactions, {seconds:.1f} s, {gas:,.0f} gas per task")
    show("Targets", ["", ""], [[name, verdict(holds)] for name, holds in met.items()])
    figures = {
        "raw": raw,
        "adapter": ours,
        "share": share,
        "cpu_ms": cpu,
        "initialize": {"transactions": transactions, "seconds": seconds, "gas_per_task": gas},
        "targets": met,
    }
    say(f"written to {write('adapter', figures)}")
    return 0 if all(met.values()) else 1


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.adapter", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds")
    parser.add_argument("--count", type=int, default=600, help="finalizations of each side per round")
    run_and_exit(run(parser.parse_args()))


if __name__ == "__main__":
    main()

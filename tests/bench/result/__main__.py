"""Archives up and down through the result proxy, beside the store itself, in interleaved rounds.

Up: the worker's own client (token and upload; the hash is made before, as a worker makes it while the chain takes the
reveal) against PyMongo into GridFS with the same durability, and `ipfs add`. Down: HTTP, as requesters download,
against PyMongo out of GridFS, and `ipfs cat`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workerpool_kit.runtime.memory import reuse_large_buffers

from bench.command import run_and_exit
from bench.report import say, show, verdict, write
from bench.result.pool import Proxy, ResultPool, make_archive, result_pool
from bench.result.transfers import (
    Taken,
    ipfs_up_and_down,
    mongo_up_and_down,
    proxy_down,
    proxy_up,
    proxy_up_at_once,
    verify,
)

TARGET_SHARE, TARGET_GROWTH_MIB = 0.9, 64
_MIB = 1 << 20
_DIRECT = {"gridfs": mongo_up_and_down, "ipfs": ipfs_up_and_down}
_NAMES = {"gridfs": "PyMongo, GridFS", "ipfs": "ipfs add / cat"}
_WARM_UP_BYTES = 8 << 20
_AT_ONCE, _AT_ONCE_BYTES = 32, 8 << 20

Figures = Mapping[tuple[str, str, str], Sequence[float]]
"""A figure of each round, by store, side (direct or proxy) and direction; of processors, also of proxy and clients."""


@dataclass(frozen=True)
class Measured:
    """What the rounds showed: MiB per second, and milliseconds of processor time per MiB."""

    speeds: dict[tuple[str, str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    processor: dict[tuple[str, str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    growth: dict[str, int] = field(default_factory=dict)
    at_once: dict[str, float] = field(default_factory=dict)

    def add(
        self,
        store: str,
        side: str,
        direction: str,
        size: int,
        taken: Taken,
        used: Sequence[tuple[float, float]],
    ) -> None:
        """Add a transfer of `size` bytes, and what `_used` told before and after it."""
        mebibytes = size / _MIB
        self.speeds[store, side, direction].append(mebibytes / taken.seconds)
        self.processor[store, f"client, {side}", direction].append(taken.client * 1_000 / mebibytes)
        of_store, of_proxy = (
            (after - before) * 1_000 / mebibytes for before, after in zip(*used, strict=True)
        )
        self.processor[store, side, direction].append(of_store)
        if side == "proxy":
            self.processor[store, "proxy itself", direction].append(of_proxy)


async def run(wanted: argparse.Namespace) -> int:
    """Run all rounds; return 0 when every target is met."""
    # As a worker's process does; it speeds PyMongo up as well.
    reuse_large_buffers()
    measured = Measured()
    async with result_pool(with_ipfs=not wanted.without_ipfs) as pool:
        say("chain, stores and proxies ready")
        for store, proxy in pool.proxies.items():
            await _measure(pool, store, proxy, wanted, measured)
            measured.at_once[store] = await _many(pool, store, proxy)
    return _report(measured, wanted)


async def _measure(
    pool: ResultPool,
    store: str,
    proxy: Proxy,
    wanted: argparse.Namespace,
    measured: Measured,
) -> None:
    small = make_archive(pool.folder / "small.zip", _WARM_UP_BYTES)
    _, location = await proxy_up(pool, proxy, small)
    await proxy_down(proxy, location, small)
    idle = proxy.peak_bytes()
    for number in range(1, wanted.rounds + 1):
        sides = ["direct", "proxy"] if number % 2 else ["proxy", "direct"]
        for side in sides:
            # Bytes of its own: what a store holds already it would not store again.
            archive = await asyncio.to_thread(
                make_archive, pool.folder / f"{side}.zip", wanted.mebibytes * _MIB
            )
            used = [_used(pool, store, proxy)]

            def mark(used: list[tuple[float, float]] = used) -> None:
                used.append(_used(pool, store, proxy))

            if side == "direct":
                up, down = await _DIRECT[store](pool, archive, mark)
                mark()
            else:
                up, location = await proxy_up(pool, proxy, archive)
                mark()
                down = await proxy_down(proxy, location, archive)
                mark()
                await verify(proxy, location, archive)
            for place, (direction, taken) in enumerate((("up", up), ("down", down))):
                measured.add(store, side, direction, archive.size, taken, used[place : place + 2])
            archive.path.unlink()
        measured.growth[store] = growth = (proxy.peak_bytes() - idle) // _MIB
        say(f"{store}, round {number}: " + _line(measured.speeds, store) + f"; memory grew by {growth} MiB")


def _used(pool: ResultPool, store: str, proxy: Proxy) -> tuple[float, float]:
    """Return the processor time in seconds that the server of the store and the proxy have used."""
    return pool.store_cpu_seconds(store), proxy.cpu_seconds()


async def _many(pool: ResultPool, store: str, proxy: Proxy) -> float:
    """Upload many archives at once and verify each; return their MiB per second."""
    archives = [
        await asyncio.to_thread(make_archive, pool.folder / f"{number}.zip", _AT_ONCE_BYTES)
        for number in range(_AT_ONCE)
    ]
    taken, locations = await proxy_up_at_once(pool, proxy, archives)
    for archive, location in zip(archives, locations, strict=True):
        await verify(proxy, location, archive)
    speed = sum(archive.size for archive in archives) / _MIB / taken.seconds
    for archive in archives:
        archive.path.unlink()
    say(f"{store}: {_AT_ONCE} uploads at once, all verified: {speed:.0f} MiB/s together")
    return speed


def _line(speeds: Figures, store: str) -> str:
    return ", ".join(
        f"{direction} {speeds[store, 'proxy', direction][-1]:.0f} of {speeds[store, 'direct', direction][-1]:.0f} MiB/s"
        for direction in ("up", "down")
    )


def _report(measured: Measured, wanted: argparse.Namespace) -> int:
    speeds, processor, growth = measured.speeds, measured.processor, measured.growth
    shares = {
        (store, direction): statistics.median(speeds[store, "proxy", direction])
        / statistics.median(speeds[store, "direct", direction])
        for store in growth
        for direction in ("up", "down")
    }
    show(
        f"MiB per second of archives of {wanted.mebibytes} MiB, medians of {wanted.rounds} interleaved rounds",
        ["", "store itself", "proxy", "share"],
        [
            [
                f"{_NAMES[store]}, {direction}",
                f"{statistics.median(speeds[store, 'direct', direction]):.0f}",
                f"{statistics.median(speeds[store, 'proxy', direction]):.0f}",
                f"{share:.2f}",
            ]
            for (store, direction), share in shares.items()
        ],
    )
    show(
        "Milliseconds of processor time per MiB, medians",
        ["", "store alone", "its client", "store behind the proxy", "proxy", "client of the proxy"],
        [
            [
                f"{_NAMES[store]}, {direction}",
                *(
                    f"{statistics.median(processor[store, side, direction]):.2f}"
                    for side in ("direct", "client, direct", "proxy", "proxy itself", "client, proxy")
                ),
            ]
            for store, direction in shares
        ],
    )
    met = {
        **{
            f"{store} {direction}: at least {TARGET_SHARE:g} of the store": share >= TARGET_SHARE
            for (store, direction), share in shares.items()
        },
        **{
            f"{store}: memory grows by {mib} MiB, at most {TARGET_GROWTH_MIB}": mib <= TARGET_GROWTH_MIB
            for store, mib in growth.items()
        },
    }
    show("Targets", ["", ""], [[name, verdict(holds)] for name, holds in met.items()])
    figures = {
        "speeds": {" ".join(key): values for key, values in speeds.items()},
        "shares": {" ".join(key): share for key, share in shares.items()},
        "processor_ms_per_mib": {" ".join(key): values for key, values in processor.items()},
        "growth_mib": dict(growth),
        "at_once_mib_per_s": dict(measured.at_once),
        "targets": met,
    }
    say(f"written to {write('result', figures)}")
    return 0 if all(met.values()) else 1


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.result", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds")
    parser.add_argument("--mebibytes", type=int, default=1024, help="size of an archive")
    parser.add_argument("--without-ipfs", action="store_true", help="measure GridFS only")
    run_and_exit(run(parser.parse_args()))


if __name__ == "__main__":
    main()

"""The chain's time: from block timestamps, independent of the host's clock."""

from dataclasses import dataclass

import pytest
from workerpool_worker.adapters.chain.chain_clock import ChainClock


@dataclass(frozen=True)
class Block:
    timestamp: int
    number: int = 1


@dataclass
class Heads:
    latest: Block | None = None


@dataclass
class Ticks:
    s: float = 50.0

    def __call__(self) -> float:
        return self.s


@pytest.mark.parametrize("system", [0.0, 5_000.0, 10.0**12])
def test_the_hosts_clock_counts_only_before_the_first_block(system: float) -> None:
    heads, ticks = Heads(), Ticks()
    clock = ChainClock(heads, monotonic=ticks, system=lambda: system)
    assert clock.now() == system
    heads.latest = Block(1_000)
    assert clock.now() == 1_000


def test_time_passes_between_blocks() -> None:
    heads, ticks = Heads(Block(1_000)), Ticks()
    clock = ChainClock(heads, monotonic=ticks, system=lambda: 0.0)
    clock.now()
    ticks.s += 7.5
    assert clock.now() == 1_007.5
    heads.latest = Block(1_012, 2)
    assert clock.now() == 1_012

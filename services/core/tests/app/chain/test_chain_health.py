"""The chain is up while the node answers and its head is fresh."""

import pytest
from workerpool_core.app.chain.chain_health import ChainHealth
from workerpool_core.domain.events import ChainHealthChanged
from workerpool_kit.clock import FakeClock
from workerpool_kit.health import Health
from workerpool_poco.protocol.model import Block


class Watched:
    """A chain health with a threshold of 15 s, and the states it submitted."""

    def __init__(self, block_time_s: float = 1.0) -> None:
        self.clock, self.health, self.told = FakeClock(), Health(), list[bool]()
        self.chain = ChainHealth(
            self.clock, self.health, self._take, threshold_s=15, block_time_s=block_time_s
        )

    def _take(self, event: ChainHealthChanged) -> None:
        self.told.append(event.up)

    def head(self, age_s: float = 0) -> Block:
        return Block(1, b"", b"", int(self.clock.now() - age_s))


def test_s49_the_chain_is_down_until_a_fresh_block() -> None:
    watched = Watched()
    assert not watched.health.is_up
    watched.chain.look(None)
    watched.chain.look(watched.head(age_s=60))
    watched.chain.look(watched.head())
    assert watched.told == [False, True]
    assert watched.health.is_up


def test_s49_an_old_head_takes_the_chain_down_until_a_fresh_one() -> None:
    watched = Watched()
    head = watched.head()
    watched.chain.look(head)
    watched.clock.advance(14)
    watched.chain.look(head)
    watched.clock.advance(2)
    watched.chain.look(head)
    assert "older" in watched.health.snapshot()["components"]["chain"]["details"]["reason"]
    watched.chain.look(watched.head())
    assert watched.told == [True, False, True]


def test_a_silent_node_takes_the_chain_down_despite_a_fresh_head() -> None:
    watched = Watched(block_time_s=10)
    head = watched.head()
    watched.chain.look(head)
    watched.chain.node_lost(OSError("refused"))
    watched.clock.advance(16)
    watched.chain.look(head)
    watched.chain.node_returned()
    watched.chain.look(watched.head())
    assert watched.told == [True, False, True]


@pytest.mark.parametrize(("age_s", "up"), [(59, True), (61, False)])
def test_a_head_may_be_six_block_times_old(age_s: float, up: bool) -> None:
    watched = Watched(block_time_s=10)
    watched.chain.look(watched.head())
    watched.chain.look(watched.head(age_s))
    assert watched.chain.up is up


def test_a_head_from_the_future_is_fresh() -> None:
    watched = Watched()
    watched.chain.look(watched.head(age_s=-500))
    assert watched.told == [True]

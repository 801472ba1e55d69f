"""The chain is up while the node answers with the blocks that were followed."""

from workerpool_core.app.chain.chain_health import ChainHealth
from workerpool_core.domain.events import ChainHealthChanged
from workerpool_kit.clock import FakeClock
from workerpool_kit.dependencies.report import Dependency
from workerpool_kit.health import Health
from workerpool_poco.errors import WrongChain
from workerpool_poco.protocol.model import Block


class Watched:
    """A chain health with a threshold of 15 s, and the states it submitted."""

    def __init__(self) -> None:
        self.clock, self.health, self.told = FakeClock(), Health(), list[bool]()
        self.chain = ChainHealth(
            self.clock,
            self.health,
            self._take,
            threshold_s=15,
            dependency=Dependency("chain", "NODE", "http://node:8545", "start it"),
        )

    def _take(self, event: ChainHealthChanged) -> None:
        self.told.append(event.up)

    def head(self, age_s: float = 0) -> Block:
        return Block(1, b"", b"", int(self.clock.now() - age_s))


def test_s49_the_chain_is_down_until_the_first_block_however_old_it_is() -> None:
    watched = Watched()
    assert not watched.health.is_up
    watched.chain.check(None)
    watched.chain.check(watched.head(age_s=86_400))
    assert watched.told == [False, True]
    assert watched.health.is_up


def test_ten_minutes_without_a_block_are_no_outage() -> None:
    watched = Watched()
    head = watched.head()
    for _ in range(600):
        watched.chain.check(head, head.number)
        watched.clock.advance(1)
    assert watched.told == [True]
    assert watched.health.is_up


def test_a_head_below_a_followed_block_takes_the_chain_down_after_the_threshold() -> None:
    watched = Watched()
    watched.chain.check(watched.head(), 1)
    watched.chain.check(watched.head(), 5)
    watched.clock.advance(14)
    watched.chain.check(watched.head(), 5)
    assert watched.told == [True], "a node may lag for a while"
    watched.clock.advance(2)
    watched.chain.check(watched.head(), 5)
    reason = watched.health.snapshot()["components"]["chain"]["details"]["reason"]
    assert "block 5 was followed" in reason
    watched.chain.check(watched.head(), 1)
    assert watched.told == [True, False, True]


def test_a_silent_node_takes_the_chain_down_despite_a_fresh_head() -> None:
    watched = Watched()
    head = watched.head()
    watched.chain.check(head)
    watched.chain.node_lost(OSError("refused"))
    watched.clock.advance(16)
    watched.chain.check(head)
    watched.chain.node_returned()
    watched.chain.check(watched.head())
    assert watched.told == [True, False, True]


def test_health_names_a_silent_node_long_before_work_stops() -> None:
    watched = Watched()
    watched.chain.check(watched.head())
    watched.chain.node_lost(OSError("refused"))
    watched.clock.advance(2)
    watched.chain.check(watched.head())
    assert watched.health.is_up
    watched.clock.advance(2)
    watched.chain.check(watched.head())
    details = watched.health.snapshot()["components"]["chain"]["details"]
    assert (details["variable"], details["address"]) == ("NODE", "http://node:8545")
    assert "has not answered for 4 s" in details["problem"]
    assert watched.told == [True]
    watched.chain.node_returned()
    watched.chain.check(watched.head())
    assert watched.health.is_up


def test_a_node_of_another_chain_stops_work_at_once() -> None:
    watched = Watched()
    watched.chain.check(watched.head())
    watched.chain.node_lost(WrongChain("the node serves chain 1, not 134"))
    watched.chain.check(watched.head())
    assert watched.told == [True, False]
    assert "chain 1, not 134" in watched.health.snapshot()["components"]["chain"]["details"]["problem"]
    watched.chain.node_returned()
    watched.chain.check(watched.head())
    assert watched.told == [True, False, True]

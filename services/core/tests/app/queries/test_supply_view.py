"""The stream of the supply: immediately, after changes only, with the block that it includes."""

from types import SimpleNamespace
from typing import Any

from workerpool_core.app.queries.supply_view import SupplyView
from workerpool_core.domain.dispatch.pool_supply import PoolSupply

EMPTY = PoolSupply((), 0, 0, 0, 0, 0, 0, accepts_work=True)


class Engine:
    """Answers with a list of supplies, the last one again and again."""

    def __init__(self, *supplies: PoolSupply) -> None:
        self.supplies = list(supplies)
        self.stakes: list[int] = []

    def supply(self, worker_stake: int) -> PoolSupply:
        self.stakes.append(worker_stake)
        return self.supplies.pop(0) if len(self.supplies) > 1 else self.supplies[0]


async def test_only_changes_are_sent_with_the_cursor() -> None:
    busy = PoolSupply((), 1, 4, 0, 2, 0, 0, accepts_work=True)
    engine: Any = Engine(EMPTY, EMPTY, busy)
    follower: Any = SimpleNamespace(position=SimpleNamespace(number=7))
    view = SupplyView(engine, follower, period_s=0.001)
    seen = []
    async for found in view.follow(30):
        seen.append((found.supply, found.cursor))
        if len(seen) == 2:
            follower.position.number = 8
        if len(seen) == 3:
            break
    assert seen == [(EMPTY, 7), (busy, 7), (busy, 8)]
    assert set(engine.stakes) == {30}


def test_a_start_without_a_followed_block_has_the_cursor_0() -> None:
    engine: Any = Engine(EMPTY)
    follower: Any = SimpleNamespace(position=SimpleNamespace(number=-1))
    assert SupplyView(engine, follower).now(0).cursor == 0

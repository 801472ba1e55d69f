"""An outage is said once, counted, and followed by a growing pause that the market may lengthen."""

import pytest
from workerpool_kit.clock import FakeClock
from workerpool_order_publisher.app.market_link import MarketLink
from workerpool_order_publisher.app.ports import MarketOutage

from services.order_publisher.tests.simulation.world import Said


class Market:
    def __init__(self) -> None:
        self.outage: MarketOutage | None = None

    async def ask(self) -> int:
        if self.outage is not None:
            raise self.outage
        return 7


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_the_pause_grows_and_ends_with_the_first_answer(clock: FakeClock) -> None:
    said, counted, market = Said(), [], Market()
    link = MarketLink(clock, said, lambda: counted.append(1))
    link.is_known = True
    market.outage = MarketOutage("GET /challenge failed")
    pauses = []
    for _ in range(10):
        with pytest.raises(MarketOutage):
            await link.call(market.ask)
        pauses.append(link.retry_at - clock.now())
        assert not link.is_open
        clock.advance(pauses[-1])
        assert link.is_open
    assert 0.5 <= pauses[0] <= 1
    assert 30 <= pauses[-1] <= 60
    assert (said.problem, len(counted), link.is_known) == ("GET /challenge failed", 10, False)
    market.outage = None
    assert await link.call(market.ask) == 7
    assert (said.problem, link.problem) == ("", "")


@pytest.mark.parametrize(("asked", "least", "most"), [(20.0, 20, 20), (0.0, 0.5, 1), (10**9, 600, 600)])
async def test_a_retry_after_lengthens_the_pause_within_reason(
    clock: FakeClock, asked: float, least: float, most: float
) -> None:
    link, market = MarketLink(clock, Said(), lambda: None), Market()
    market.outage = MarketOutage("429", retry_after_s=asked)
    with pytest.raises(MarketOutage):
        await link.call(market.ask)
    assert least <= link.retry_at - clock.now() <= most

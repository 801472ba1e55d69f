"""Cancellations: asked once, asked again while the chain does not show them, and what the operator is told."""

from dataclasses import dataclass, field

from workerpool_kit.clock import FakeClock
from workerpool_order_publisher.app.cancellations import REPEAT_S, Cancellations
from workerpool_order_publisher.app.ports import CancelRefusal, PeerOutage
from workerpool_order_publisher.domain.order_book import Order, OrderState, Terms

TERMS = Terms(0, 0, "0x" + "00" * 32, 1, "0x", "0x", "0x")


def order(number: int, **changes: object) -> Order:
    name = f"0x{number:064x}"
    changes = {"state": OrderState.WITHDRAWN, "cancels": True} | changes
    return Order(name, name, TERMS, 2, 0.0, **changes)  # type: ignore[arg-type]


@dataclass
class Adapter:
    """Accepts everything unless `trouble` says otherwise."""

    trouble: Exception | None = None
    asked: list[str] = field(default_factory=list)

    async def cancel(self, order: Order) -> None:
        self.asked.append(order.hash)
        if self.trouble is not None:
            raise self.trouble


async def test_a_cancellation_is_requested_once_and_repeated_after_a_minute() -> None:
    adapter, clock = Adapter(), FakeClock()
    cancellations = Cancellations(adapter, clock)
    waiting = [
        order(1),
        order(2),
        order(3, cancels=False),
        order(4, state=OrderState.OPEN),
        order(5, settled=2),
    ]
    for _ in range(2):
        await cancellations.request(waiting)
    assert adapter.asked == [order(1).hash, order(2).hash]
    assert cancellations.due_at == clock.now() + REPEAT_S
    assert cancellations.reason.startswith("4 tasks of withdrawn orders reserve slots")
    clock.advance(REPEAT_S)
    await cancellations.request(waiting[:1])
    assert adapter.asked == [order(1).hash, order(2).hash, order(1).hash]
    await cancellations.request([])
    assert (cancellations.reason, cancellations.due_at) == ("", float("inf"))


async def test_an_adapter_that_does_not_answer_is_asked_again_with_growing_pauses() -> None:
    adapter, clock = Adapter(PeerOutage("the chain adapter does not answer")), FakeClock()
    cancellations = Cancellations(adapter, clock)
    pauses = []
    for asked in range(1, 4):
        for _ in range(2):
            await cancellations.request([order(1), order(2)])
            assert len(adapter.asked) == asked, "one order shows the outage, and the pause is kept"
        pauses.append(cancellations.due_at - clock.now())
        clock.advance(pauses[-1])
    assert 0 < pauses[0] < pauses[2]
    assert cancellations.reason.endswith(": the chain adapter does not answer")
    adapter.trouble = None
    clock.advance(60)
    await cancellations.request([order(1), order(2)])
    assert adapter.asked[-2:] == [order(1).hash, order(2).hash]
    assert cancellations.problem == ""


async def test_a_refusal_is_said_and_keeps_no_other_order_waiting() -> None:
    adapter = Adapter(CancelRefusal("the chain adapter refuses it: only the owner may"))
    cancellations = Cancellations(adapter, FakeClock())
    await cancellations.request([order(1), order(2)])
    assert len(adapter.asked) == 2
    assert "only the owner may" in cancellations.reason


async def test_without_a_chain_adapter_nothing_is_asked() -> None:
    cancellations = Cancellations(None, FakeClock())
    await cancellations.request([order(1)])
    assert cancellations.reason.startswith("2 tasks")

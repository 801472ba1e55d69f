"""Requests in flight: at most one per subject."""

import asyncio

import pytest
from workerpool_core.adapters.grpc.requests_in_flight import RequestsInFlight


class Requester:
    """Counts requests; each one completes when the gate opens."""

    def __init__(self) -> None:
        self.in_flight: RequestsInFlight[str] = RequestsInFlight()
        self.gate = asyncio.Event()
        self.started = 0

    async def request(self) -> None:
        self.started += 1
        await self.gate.wait()

    def start(self, subject: str) -> None:
        self.in_flight.start(subject, self.request, name=subject)


@pytest.fixture
def requester() -> Requester:
    return Requester()


async def run_ready_callbacks() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_subject_has_one_request_in_flight(requester: Requester) -> None:
    for subject in ("a", "a", "b"):
        requester.start(subject)
    await run_ready_callbacks()
    assert (requester.started, len(requester.in_flight)) == (2, 2)
    requester.gate.set()
    await run_ready_callbacks()
    assert not requester.in_flight
    requester.start("a")
    await run_ready_callbacks()
    assert requester.started == 3


async def test_a_completed_request_may_start_the_next_one_of_its_subject(requester: Requester) -> None:
    async def complete_and_start_again() -> None:
        requester.in_flight.complete("a")
        requester.start("a")

    requester.in_flight.start("a", complete_and_start_again, name="a")
    await run_ready_callbacks()
    requester.start("a")
    assert (requester.started, len(requester.in_flight)) == (1, 1)
    await requester.in_flight.close()


async def test_close_cancels_requests_in_flight(requester: Requester) -> None:
    requester.start("a")
    await run_ready_callbacks()
    await requester.in_flight.close()
    assert not requester.in_flight

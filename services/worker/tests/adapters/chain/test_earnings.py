"""Earnings are read from the hub's events, newest blocks first, as far as node and time allow."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from doubles.node import Node, running_node
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import LogRangeTooLarge, PocoError
from workerpool_poco.protocol.contracts.events import Reward, Seize, topic_of
from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_worker.adapters.chain import earnings
from workerpool_worker.adapters.chain.earnings import read_earnings

from services.worker.tests.harness.builders import OTHER_TASK_ID, TASK_ID, WORKER

HUB: Address = "0x" + "44" * 20
OTHER: Address = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
TOO_LARGE = {"code": -32005, "message": "query returned more than 10000 results"}
LONG_S = 600.0


class Events:
    """The events of a hub, which its node gives for at most `largest` blocks at once."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.largest = 10**9
        self.logs: list[dict[str, Any]] = []
        self.asked: list[tuple[int, int]] = []
        """The first and last block of each request."""
        plain = node.answer

        def answer(request: Any) -> dict[str, Any]:
            if request["method"] != "eth_getLogs" or "eth_getLogs" in node.errors:
                return plain(request)
            query = request["params"][0]
            first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
            self.asked.append((first, last))
            head = {"jsonrpc": "2.0", "id": request["id"]}
            if last - first + 1 > self.largest:
                return {**head, "error": TOO_LARGE}
            return {
                **head,
                "result": [log for log in self.logs if first <= int(log["blockNumber"], 16) <= last],
            }

        node.answer = answer  # type: ignore[method-assign]

    def add(
        self, kind: type[Reward] | type[Seize], block: int, amount: int, owner: Address, task: TaskId
    ) -> None:
        """Emit an event in a block. `owner` and `ref` stand where the contract puts them."""
        self.logs.append(
            {
                "address": HUB,
                "topics": ["0x" + topic_of(kind).hex()],
                "data": "0x" + owner[2:].lower().rjust(64, "0") + f"{amount:064x}" + task[2:],
                "blockNumber": hex(block),
                "blockHash": "0x" + f"{block:064x}",
                "transactionHash": "0x" + f"{block:064x}",
                "transactionIndex": "0x0",
                "logIndex": hex(len(self.logs)),
                "removed": False,
            }
        )


class Ticks:
    """A clock that gives the times of a test, one after the other."""

    def __init__(self, *times: float) -> None:
        self._times = iter(times)

    def monotonic(self) -> float:
        return next(self._times)


@pytest.fixture
async def events() -> AsyncIterator[Events]:
    async with running_node() as node:
        yield Events(node)


@pytest.fixture
async def hub(events: Events) -> AsyncIterator[HubClient]:
    hub = HubClient(events.node.url, HUB)
    yield hub
    await hub.close()


async def test_rewards_and_seized_stakes_of_the_wallet_alone_are_summed_up(
    events: Events, hub: HubClient
) -> None:
    events.add(Reward, 10, 5, WORKER, TASK_ID)
    events.add(Reward, 10, 900, OTHER, TASK_ID)
    events.add(Reward, 20, 7, WORKER, OTHER_TASK_ID)
    events.add(Seize, 30, 3, WORKER, OTHER_TASK_ID)
    events.add(Seize, 30, 800, OTHER, TASK_ID)
    found = await read_earnings(hub, WORKER, first=0, last=100, limit_s=LONG_S)
    assert (found.earned, found.tasks) == (12, {TASK_ID, OTHER_TASK_ID})
    assert (found.seized, found.faults) == (3, {OTHER_TASK_ID})
    assert found.since == 0


async def test_the_first_and_the_last_block_count_and_those_beside_them_do_not(
    events: Events, hub: HubClient
) -> None:
    for block in (9, 10, 20, 21):
        events.add(Reward, block, block, WORKER, TASK_ID)
    found = await read_earnings(hub, WORKER, first=10, last=20, limit_s=LONG_S)
    assert (found.since, found.earned) == (10, 30)
    assert events.asked == [(10, 20)]


@pytest.mark.parametrize("largest", [1, 2, 7, 100])
async def test_a_node_that_limits_ranges_gets_smaller_ones_without_gaps(
    events: Events, hub: HubClient, largest: int
) -> None:
    events.largest = largest
    for block in range(60):
        events.add(Reward, block, 1, WORKER, TASK_ID)
    found = await read_earnings(hub, WORKER, first=0, last=59, limit_s=LONG_S)
    assert (found.since, found.earned) == (0, 60), "each block counts once"


async def test_a_refused_range_is_not_requested_again(events: Events, hub: HubClient) -> None:
    events.largest = 10
    await read_earnings(hub, WORKER, first=0, last=99, limit_s=LONG_S)
    assert len(events.asked) == len(set(events.asked))


async def test_blocks_of_many_days_are_read_in_pieces(events: Events, hub: HubClient) -> None:
    events.add(Reward, 1, 4, WORKER, TASK_ID)
    found = await read_earnings(hub, WORKER, first=1, last=120_000, limit_s=LONG_S)
    assert events.asked == [(70_001, 120_000), (20_001, 70_000), (1, 20_000)]
    assert (found.since, found.earned) == (1, 4)


async def test_a_node_that_refuses_even_one_block_is_reported(events: Events, hub: HubClient) -> None:
    events.largest = 0
    with pytest.raises(LogRangeTooLarge):
        await read_earnings(hub, WORKER, first=0, last=10**6, limit_s=LONG_S)
    assert len(events.asked) < 20


async def test_without_time_nothing_is_read_and_the_result_is_incomplete(
    events: Events, hub: HubClient
) -> None:
    events.add(Reward, 50, 4, WORKER, TASK_ID)
    found = await read_earnings(hub, WORKER, first=0, last=99, limit_s=0)
    assert (found.since, found.earned, events.asked) == (100, 0, [])


async def test_the_time_ends_between_two_pieces_and_the_newest_blocks_are_kept(
    events: Events, hub: HubClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    events.add(Reward, 119_999, 4, WORKER, TASK_ID)
    events.add(Reward, 1, 9, WORKER, OTHER_TASK_ID)
    monkeypatch.setattr(earnings, "time", Ticks(0.0, 0.0, 5.0))
    found = await read_earnings(hub, WORKER, first=0, last=120_000, limit_s=3.0)
    assert (found.since, found.earned, found.tasks) == (70_001, 4, {TASK_ID})


async def test_an_outage_of_the_node_is_reported(events: Events, hub: HubClient) -> None:
    events.node.refuses("eth_getLogs", -32603, "internal error")
    with pytest.raises(PocoError, match="internal error"):
        await read_earnings(hub, WORKER, first=0, last=10, limit_s=LONG_S)


async def test_an_empty_range_needs_no_request(events: Events, hub: HubClient) -> None:
    found = await read_earnings(hub, WORKER, first=100, last=99, limit_s=LONG_S)
    assert (found.since, found.earned, events.asked) == (100, 0, [])

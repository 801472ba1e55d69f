"""A node that is lost between the connection and the first reads is waited for."""

from typing import Any

import pytest
from doubles.node import Node, answers_every, answers_http, refuses_every, times
from workerpool_kit.retry import Backoff
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.errors import ChainUnreachable, HubNotFound
from workerpool_transactions.adapters.detect import detect_profile
from workerpool_transactions.adapters.first_reads import read_until_answered
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import Shape

FAST = Backoff(first_s=0.001, longest_s=0.001)


@pytest.mark.parametrize(
    "fault",
    [
        answers_http(502),
        answers_every(None),
        answers_every({"number": None}),
        refuses_every(-32000, "the node is starting"),
    ],
    ids=["gateway", "null", "pending-block", "refusal"],
)
async def test_the_first_read_is_repeated_until_the_node_answers(
    chain: Node, rpc: JsonRpc, fault: Any
) -> None:
    chain.fault = times(7, fault)
    failures: list[str] = []

    async def read() -> Shape:
        return (await detect_profile(rpc, 65535, policy=FeePolicy())).shape

    shape = await read_until_answered(
        read, what="detect the chain", backoff=FAST, on_failure=lambda error: failures.append(str(error))
    )
    assert shape is Shape.MEMPOOL
    assert failures
    assert all(failures)


async def test_the_wait_can_be_limited(chain: Node, rpc: JsonRpc) -> None:
    chain.fault = answers_http(502)
    with pytest.raises(ChainUnreachable):
        await read_until_answered(
            lambda: detect_profile(rpc, 65535, policy=FeePolicy()),
            what="detect the chain",
            timeout_s=0.05,
            backoff=FAST,
        )


async def test_what_a_node_cannot_correct_raises_at_once() -> None:
    calls = 0

    async def read() -> None:
        nonlocal calls
        calls += 1
        raise HubNotFound("no PoCo hub")

    with pytest.raises(HubNotFound):
        await read_until_answered(read, what="connect", backoff=FAST)
    assert calls == 1

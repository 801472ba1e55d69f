"""A node that is lost during the start of an adapter is waited for, whichever read it interrupts."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from doubles.node import (
    Fault,
    after,
    answers_every,
    answers_http,
    answers_text,
    cuts_connections,
    running_relay,
    times,
)
from patience import PATIENCE_S
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

FAULTS: dict[str, Callable[[], Fault]] = {
    "502": lambda: answers_http(502),
    "null": lambda: answers_every(None),
    "half a text": lambda: answers_text('{"jsonrpc": "2.0", "resu'),
    "cut": cuts_connections,
    "429": lambda: answers_http(429, headers={"Retry-After": "0.1"}),
}


@pytest.fixture
def chain(own_chain: PocoChain) -> PocoChain:
    return own_chain


@pytest.mark.parametrize(
    ("answered", "fault"),
    [(1, "502"), (2, "null"), (3, "half a text"), (5, "cut"), (8, "429")],
)
async def test_a_node_lost_after_its_first_answers_is_waited_for(
    launch: Any, chain: PocoChain, answered: int, fault: str
) -> None:
    async with running_relay(chain.url) as node:
        node.fault = after(answered, times(9, FAULTS[fault]()))
        adapter = await (await launch(IEXEC_BLOCKCHAIN_NODE_ADDRESS=node.url)).ready()
        async with asyncio.timeout(PATIENCE_S):
            while len(node.bodies) < answered + 9:
                await asyncio.sleep(0.05)
        wallet = await adapter.api.GetWallet(pb.GetWalletRequest())
        assert wallet.address == chain.account("poolOwner").address
        assert adapter.process.returncode is None
        assert "Traceback" not in adapter.log.read_text()
        assert await adapter.stop() == 0

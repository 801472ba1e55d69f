from collections.abc import AsyncIterator

import pytest
from doubles.node import Node, running_node
from patience import PATIENCE_S
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_transactions.adapters.rpc_node import RpcNode

WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


@pytest.fixture
async def chain() -> AsyncIterator[Node]:
    async with running_node() as node:
        yield node


@pytest.fixture
async def rpc(chain: Node) -> AsyncIterator[JsonRpc]:
    rpc = JsonRpc(chain.url, attempts=2, backoff=0.001, timeout=PATIENCE_S)
    yield rpc
    await rpc.close()


@pytest.fixture
def node(rpc: JsonRpc) -> RpcNode:
    return RpcNode(rpc, WALLET)

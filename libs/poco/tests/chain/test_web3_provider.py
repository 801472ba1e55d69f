from typing import Any

from patience import PATIENCE_S
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.chain.transport import Transport
from workerpool_poco.chain.web3_provider import TransportProvider


async def test_web3_works_over_the_same_connections(plain_chain: Any) -> None:
    rpc = JsonRpc(plain_chain.url)
    assert await rpc.web3.eth.chain_id == plain_chain.chain_id
    await rpc.close()


async def test_the_provider_reports_whether_the_node_answers(scripted_node: Any) -> None:
    transport = Transport(scripted_node.url, timeout=PATIENCE_S, max_connections=1)
    provider = TransportProvider(transport)
    assert await provider.is_connected()
    scripted_node.answer = lambda request: {"error": {"code": -32000, "message": "starting"}}
    assert not await provider.is_connected()
    await transport.close()

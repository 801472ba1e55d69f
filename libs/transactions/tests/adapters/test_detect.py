import pytest
from doubles.node import Node, answers_http
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.errors import ChainUnreachable
from workerpool_transactions.adapters.detect import detect_profile
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import Shape

PAYS, PAYS_NOTHING = FeePolicy(), FeePolicy(multiplier=0, cap=0)
ARBITRUM = {
    "l1BlockNumber": "0x99",
    "sendCount": "0x1",
    "sendRoot": "0x" + "00" * 32,
    "gasLimit": hex(1 << 50),
}


@pytest.mark.parametrize(
    ("chain_id", "shape"),
    [(134, Shape.FREE), (42161, Shape.SEQUENCER), (421614, Shape.SEQUENCER), (65535, Shape.MEMPOOL)],
)
async def test_a_known_chain_has_its_shape(rpc: JsonRpc, chain_id: int, shape: Shape) -> None:
    assert (await detect_profile(rpc, chain_id, policy=PAYS)).shape is shape


async def test_a_nitro_node_is_a_sequencer(chain: Node, rpc: JsonRpc) -> None:
    chain.results["web3_clientVersion"] = "nitro/v3.9.4-8b97a9f/linux-amd64/go1.25"
    assert (await detect_profile(rpc, 412346, policy=PAYS)).shape is Shape.SEQUENCER


@pytest.mark.parametrize("version", [None, "", 7, {}], ids=repr)
async def test_headers_of_arbitrum_tell_a_sequencer_too(chain: Node, rpc: JsonRpc, version: object) -> None:
    chain.results["web3_clientVersion"] = version
    assert (await detect_profile(rpc, 412346, policy=PAYS)).shape is Shape.MEMPOOL
    chain.header |= ARBITRUM
    assert (await detect_profile(rpc, 412346, policy=PAYS)).shape is Shape.SEQUENCER


async def test_a_node_need_not_tell_its_version(chain: Node, rpc: JsonRpc) -> None:
    del chain.results["web3_clientVersion"]
    assert (await detect_profile(rpc, 1, policy=PAYS)).shape is Shape.MEMPOOL


async def test_an_operator_that_pays_nothing_is_on_a_free_chain(rpc: JsonRpc) -> None:
    assert (await detect_profile(rpc, 65535, policy=PAYS_NOTHING)).shape is Shape.FREE


@pytest.mark.parametrize("shape", Shape)
async def test_the_operator_knows_better(rpc: JsonRpc, shape: Shape) -> None:
    assert (await detect_profile(rpc, 42161, policy=PAYS_NOTHING, shape=shape.value)).shape is shape


@pytest.mark.parametrize(("announced", "ceiling"), [(1 << 50, 32_000_000), (8_000_000, 8_000_000)])
async def test_a_transaction_uses_at_most_32_million_gas_and_a_block(
    chain: Node, rpc: JsonRpc, announced: int, ceiling: int
) -> None:
    chain.header["gasLimit"] = hex(announced)
    assert (await detect_profile(rpc, 65535, policy=PAYS)).gas_ceiling == ceiling


async def test_a_node_without_an_answer_is_unreachable(chain: Node, rpc: JsonRpc) -> None:
    chain.fault = answers_http(502)
    with pytest.raises(ChainUnreachable):
        await detect_profile(rpc, 65535, policy=PAYS)
    chain.fault = None
    chain.refuses("eth_getBlockByNumber", -32000, "the node is starting")
    with pytest.raises(ChainUnreachable, match="refuses eth_getBlockByNumber: the node is starting"):
        await detect_profile(rpc, 65535, policy=PAYS)

"""Detection of a chain's shape, from its id and from what its node shows."""

from dataclasses import replace

from workerpool_poco.chain.answers import Header, read_header
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.errors import ChainUnreachable, RpcError

from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import ChainProfile, Shape

AUTO = "auto"
"""The setting that lets `detect_profile` find the shape."""

SHAPES_BY_CHAIN = {
    134: Shape.FREE,  # Bellecour
    42161: Shape.SEQUENCER,  # Arbitrum One
    421614: Shape.SEQUENCER,  # Arbitrum Sepolia
}
_SEQUENCER_CLIENT = "nitro"


async def detect_profile(
    rpc: JsonRpc, chain_id: int, *, policy: FeePolicy, shape: str = AUTO
) -> ChainProfile:
    """Return the profile of a chain. Raises `ChainUnreachable`.

    Args:
        rpc: a client of the chain's node.
        chain_id: EIP-155 id of the chain.
        policy: the operator's limits of fees; limits that pay nothing make the chain a free one.
        shape: the name of a shape that the operator knows, or `auto`.
    """
    method = "eth_getBlockByNumber"
    try:
        header = read_header(method, await rpc.call(method, "latest", False))
    except RpcError as refusal:
        raise ChainUnreachable(f"{rpc.node_url} refuses {refusal}") from refusal
    found = await _detected(rpc, chain_id, policy, header) if shape == AUTO else Shape(shape)
    profile = ChainProfile(found)
    # Arbitrum announces a gas limit of 2^50, which no transaction can use.
    return replace(profile, gas_ceiling=min(profile.gas_ceiling, header.gas_limit))


async def _detected(rpc: JsonRpc, chain_id: int, policy: FeePolicy, header: Header) -> Shape:
    if policy.is_free:
        return Shape.FREE
    if chain_id in SHAPES_BY_CHAIN:
        return SHAPES_BY_CHAIN[chain_id]
    return Shape.SEQUENCER if header.is_arbitrum or await _is_nitro(rpc) else Shape.MEMPOOL


async def _is_nitro(rpc: JsonRpc) -> bool:
    """Return whether the node names itself a Nitro node, such as `nitro/v3.9.4/linux-amd64/go1.25`."""
    try:
        version = await rpc.call("web3_clientVersion")
    except RpcError:
        # Many providers do not offer the method.
        return False
    return isinstance(version, str) and _SEQUENCER_CLIENT in version.lower()

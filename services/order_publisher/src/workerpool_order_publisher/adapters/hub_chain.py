"""Reads of the hub: consumed volumes and the owner's stake at one block."""

from collections.abc import Sequence

from workerpool_poco.chain.answers import read_quantity
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.ids import Address, bytes32

from workerpool_order_publisher.app.ports import ChainOutage, Settled


class HubChain:
    """Reads one hub for the owner of a pool."""

    def __init__(self, hub: HubClient, owner: Address) -> None:
        self._hub = hub
        self._owner = owner

    async def head(self) -> int:
        """Return the number of the newest block. Raises ChainOutage."""
        try:
            return read_quantity("eth_blockNumber", await self._hub.rpc.call("eth_blockNumber"))
        except PocoError as error:
            raise ChainOutage(str(error)) from error

    async def settle(self, order_hashes: Sequence[str], block: int) -> Settled:
        """Return consumed volumes and stake at a block. Raises ChainOutage, also when the node lacks that block."""
        try:
            arguments = [(bytes32(order_hash),) for order_hash in order_hashes]
            consumed = await self._hub.call_many(abi.HUB["viewConsumed"], arguments, block=block)
            ((account,),) = await self._hub.call_many(abi.HUB["viewAccount"], [(self._owner,)], block=block)
        except PocoError as error:
            raise ChainOutage(f"block {block} cannot be read: {error}") from error
        volumes = {
            order_hash: int(answer[0]) for order_hash, answer in zip(order_hashes, consumed, strict=True)
        }
        return Settled(volumes, int(account[0]))

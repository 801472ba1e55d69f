"""The binding of a database to one chain and hub, because a journal is meaningless on another chain."""

from workerpool_kit.mongo.database import Database
from workerpool_poco.protocol.ids import Address

from workerpool_chain_adapter.adapters.mongo.documents import OriginDocument


async def bind_origin(database: Database, chain_id: int, hub_address: Address) -> tuple[int, Address]:
    """Return the chain and hub of the database; the first call sets them."""
    return await database.run_with_retry(_bind, chain_id, hub_address)


def _bind(chain_id: int, hub_address: Address) -> tuple[int, Address]:
    origin = OriginDocument.objects(id="origin").modify(
        upsert=True, new=True, set_on_insert__chain_id=chain_id, set_on_insert__hub_address=hub_address
    )
    return origin.chain_id, origin.hub_address

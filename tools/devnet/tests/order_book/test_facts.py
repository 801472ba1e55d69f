"""Facts about orders, read from a real hub."""

import pytest
from devnet.tests.order_book.market_client import Client
from workerpool_devnet.order_book.errors import ChainAway
from workerpool_devnet.order_book.facts import ChainFacts
from workerpool_devnet.processes.ports import free_port
from workerpool_poco.chain.hub import HubClient


async def test_signatures_of_wallets_are_verified_by_the_hub(client: Client) -> None:
    digest = bytes(range(32))
    signature = client.owner.sign_hash(digest)
    async with HubClient(client.chain.url, client.chain.hub) as hub:
        facts = ChainFacts(hub)
        assert await facts.signed(client.owner.address, digest, signature)
        assert not await facts.signed(client.requester.address, digest, signature)
        assert not await facts.signed(client.owner.address, digest, b"not a signature")


async def test_an_unreachable_node_is_reported_with_a_sentence(client: Client) -> None:
    hub = HubClient(f"http://127.0.0.1:{free_port()}", client.chain.hub, attempts=1)
    try:
        with pytest.raises(ChainAway, match="chain"):
            await ChainFacts(hub).head()
    finally:
        await hub.close()

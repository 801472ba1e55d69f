"""Requesters that buy deals of the catalogue, each with a wallet of its own."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from dataclasses import dataclass, field

from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market import accounts
from workerpool_devnet.market.deployment import CATEGORIES
from workerpool_devnet.market.trading import Deal, Purchase
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address

from hostile.apps import Images
from hostile.catalogue.entry import Entry, Ground

HONEST_REQUESTERS = ("alice", "bob", "carol")
HOSTILE_REQUESTERS = ("mallory", "trudy", "oscar")


@dataclass
class Buyers:
    """Creates apps and datasets and matches deals; one purchase of a wallet at a time, as nonces require."""

    net: Devnet
    images: Images
    ground: Ground
    _apps: dict[tuple[str, str], Address] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _names: itertools.count[int] = field(default_factory=itertools.count)

    async def buy(self, entry: Entry, requester: str) -> Deal:
        """Buy one deal of an entry; the requester also owns its app and its dataset."""
        lock = self._locks.setdefault(requester, asyncio.Lock())
        async with lock:
            return await asyncio.to_thread(self._buy, entry, self.net.account(requester), requester)

    def _buy(self, entry: Entry, wallet: Wallet, requester: str) -> Deal:
        market, image = self.net.market, self._image(entry)
        if (requester, image) not in self._apps:
            name = f"{entry.name} {secrets.token_hex(4)}"
            self._apps[requester, image] = market.create_app(wallet, name, image)
        dataset = ZERO_ADDRESS
        if entry.dataset is not None:
            uri, checksum = entry.dataset(self.ground)
            name = f"{entry.name} {secrets.token_hex(4)}"
            dataset = market.create_dataset(wallet, name, uri, checksum=checksum)
        purchase = Purchase(
            requester=wallet,
            app=self._apps[requester, image],
            app_owner=wallet,
            workerpool=self.net.workerpool,
            pool_owner=self.net.accounts["poolOwner"],
            params=entry.deal_params(self.ground),
            dataset=dataset,
            volume=entry.volume,
            trust=entry.trust,
            category=list(CATEGORIES).index(entry.category),
            tag=entry.tag,
            workerpool_price=entry.price,
            callback=entry.callback_address(self.ground),
        )
        (deal,) = market.buy(purchase)
        return deal

    def _image(self, entry: Entry) -> str:
        if entry.dockerfile:
            return self.images.of(entry)
        if entry.script:
            return self.images.name
        untagged = self.images.name.partition(":")[0]
        return entry.image.format(closed=self.ground.closed_port, untagged=untagged)


def fund_requesters(net: Devnet) -> None:
    """Give every requester gas and a deposit."""
    wallets = [net.account(role) for role in (*HONEST_REQUESTERS, *HOSTILE_REQUESTERS)]
    accounts.fund(net.chain.rpc, net.contracts, wallets)

"""The devnet around a user: chain, pool, files for the command line, documents and an app's image."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workerpool_devnet.chain.jsonrpc import JsonRpc
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market import accounts
from workerpool_devnet.market.deployment import Contracts, Flavour
from workerpool_poco.chain.wallet import Wallet


@dataclass
class Surroundings:
    """What a user of the command line finds around: the same for every release and flavour."""

    rpc: JsonRpc
    contracts: Contracts
    files: Path
    """Folder of devnet.json and of the chain files of the command line."""
    document: dict[str, Any]
    """Content of devnet.json."""
    image: str
    """Name of a Docker image with a shell, which the requester's arguments command."""
    documents: tuple[str, ...] = ()
    """Addresses of input files."""
    logs: Path = Path("/nowhere")
    """Folder of the logs of the devnet's processes."""
    seed: str = "sdk"
    funded: dict[str, str] = field(default_factory=dict)
    """Name → private key of each account that has gas, RLC and a deposit."""

    @property
    def native(self) -> bool:
        """Whether the coin of the chain is RLC, and gas is free."""
        return self.contracts.flavour is Flavour.NATIVE

    @property
    def workerpool(self) -> str:
        """Address of the pool of the devnet."""
        return str(self.document["workerpool"])

    def category(self, name: str) -> str:
        """Return the id of a category of the devnet, such as "XS"."""
        return str(self.document["categories"][name]["id"])

    def funded_key(self, name: str) -> str:
        """Return the private key of an account with gas, RLC and a deposit; the same for the same name."""
        if name not in self.funded:
            accounts.fund(self.rpc, self.contracts, [accounts.derive(name, self.seed)])
            self.funded[name] = accounts.private_key(name, self.seed)
        return self.funded[name]

    def initialize(self, wallet: Wallet, deal: str) -> None:
        """Initialize the first task of a deal on chain, which any account may do."""
        outbox = Outbox(self.rpc)
        hub = self.contracts.interface.at(self.rpc.web3, self.contracts.hub)
        outbox.invoke(wallet, "initialize", hub.functions.initialize(bytes.fromhex(deal[2:]), 0))
        outbox.flush()

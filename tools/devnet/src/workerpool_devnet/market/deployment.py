"""Deploy the real PoCo 6.1.0 contracts on the local chain, as the script of iExec does.

Order and arguments follow PoCo's deploy script (token flavour). Plain CREATE replaces the
CREATE2 factory of the script; the addresses are the same on every new chain either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.keccak import keccak

from workerpool_devnet.chain.jsonrpc import JsonRpc
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market import artifacts

_ZERO_ADDRESS = "0x" + "00" * 20
_ADD = 0  # EIP-2535 FacetCutAction

CATEGORIES = {
    "XS": 300,
    "S": 1200,
    "M": 3600,
    "L": 10800,
    "XL": 36000,
    "DEV-6S": 6,
    "DEV-2S": 2,
    "DEV-60S": 60,
}
"""Name → work clock time in seconds; the position is the id of the category. The last three are for tests:
the final deadline of a task is ten times the work clock time after the match."""

_FACETS = (
    "IexecAccessorsABILegacyFacet",
    "IexecCategoryManagerFacet",
    "IexecConfigurationExtraFacet",
    "IexecConfigurationFacet",
    "IexecERC20Facet",
    "IexecEscrowTokenFacet",
    "IexecOrderManagementFacet",
    "IexecPoco1Facet",
    "IexecPoco2Facet",
    "IexecPocoAccessorsFacet",
    "IexecPocoBoostFacet",
    "IexecPocoBoostAccessorsFacet",
    "IexecRelayFacet",
)


class _Create(Protocol):
    def __call__(self, artifact: artifacts.Artifact, *arguments: object) -> str: ...


@dataclass(frozen=True)
class Contracts:
    """Addresses (checksummed) of a deployment; `hub` is the PoCo diamond."""

    hub: str
    rlc: str
    app_registry: str
    dataset_registry: str
    workerpool_registry: str


def deploy(rpc: JsonRpc, owner: Wallet) -> Contracts:
    """Deploy all contracts from `owner`, which becomes the owner of the diamond and of all RLC.

    Sends all transactions at once with preset nonces. Raises `TransactionError` when one reverts.
    """
    outbox, web3 = Outbox(rpc), rpc.web3

    def create(
        artifact: artifacts.Artifact, *arguments: object, libraries: dict[str, str] | None = None
    ) -> str:
        creation = artifact.creation(web3, *arguments, libraries=libraries or {})
        return outbox.create(owner, f"creation of {artifact.name}", creation)

    rlc = create(artifacts.rlc())
    address, known = _create_diamond(create, owner)
    diamond = artifacts.dependency("DiamondCutFacet").at(web3, address)
    libraries = {"IexecLibOrders_v5": create(artifacts.poco("IexecLibOrders_v5"))}
    for name in _FACETS:
        facet = artifacts.poco(name)
        selectors = [selector for selector in facet.selectors() if selector not in known]
        known.update(selectors)
        cut = [(create(facet, libraries=libraries), _ADD, selectors)]
        outbox.invoke(owner, f"diamondCut of {name}", diamond.functions.diamondCut(cut, _ZERO_ADDRESS, b""))

    registries = []
    for name in ("AppRegistry", "DatasetRegistry", "WorkerpoolRegistry"):
        registry = artifacts.poco(name).at(web3, create(artifacts.poco(name)))
        outbox.invoke(owner, f"{name}.initialize", registry.functions.initialize(_ZERO_ADDRESS))
        registries.append(registry.address)

    hub = artifacts.poco("IexecInterfaceToken").at(web3, address)
    configure = hub.functions.configure(rlc, "Staked RLC", "SRLC", 9, *registries, _ZERO_ADDRESS)
    outbox.invoke(owner, "configure", configure)
    for name, seconds in CATEGORIES.items():
        outbox.invoke(owner, f"category {name}", hub.functions.createCategory(name, '""', seconds))
    outbox.flush()
    return Contracts(hub.address, rlc, *registries)


def _create_diamond(create: _Create, owner: Wallet) -> tuple[str, set[bytes]]:
    """Create the diamond with its three base facets; return its address and their selectors."""
    init = create(artifacts.dependency("DiamondInit"))
    cuts = []
    for name in ("DiamondCutFacet", "DiamondLoupeFacet", "OwnershipFacet"):
        facet = artifacts.dependency(name)
        cuts.append((create(facet), _ADD, facet.selectors()))
    diamond = artifacts.poco("Diamond")
    hub = create(diamond, cuts, (owner.address, init, keccak(b"init()")[:4]))
    return hub, {selector for _, _, selectors in cuts for selector in selectors}

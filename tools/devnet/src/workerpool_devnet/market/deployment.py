"""Deploy the real PoCo 6.1.0 contracts on the local chain, as the script of iExec does.

Order and arguments follow PoCo's deploy script, in both of its flavours. Plain CREATE replaces the
CREATE2 factory of the script; the addresses are the same on every new chain either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
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


class Flavour(StrEnum):
    """What deposits, prices and stakes are paid in. The hub counts nRLC in both flavours."""

    TOKEN = "token"
    """RLC, an ERC-20 token with 9 decimals, as on Arbitrum."""
    NATIVE = "native"
    """The chain's own coin, 10^9 wei for each nRLC, as on Bellecour; `deposit()` is payable."""


_FACETS = (
    "IexecAccessorsABILegacyFacet",
    "IexecCategoryManagerFacet",
    "IexecConfigurationExtraFacet",
    "IexecConfigurationFacet",
    "IexecERC20Facet",
    "IexecOrderManagementFacet",
    "IexecPoco1Facet",
    "IexecPoco2Facet",
    "IexecPocoAccessorsFacet",
    "IexecPocoBoostFacet",
    "IexecPocoBoostAccessorsFacet",
    "IexecRelayFacet",
)


_ESCROWS = {Flavour.TOKEN: "IexecEscrowTokenFacet", Flavour.NATIVE: "IexecEscrowNativeFacet"}
_INTERFACES = {Flavour.TOKEN: "IexecInterfaceToken", Flavour.NATIVE: "IexecInterfaceNative"}


class _Create(Protocol):
    def __call__(self, artifact: artifacts.Artifact, *arguments: object) -> str: ...


@dataclass(frozen=True)
class Contracts:
    """Addresses (checksummed) of a deployment; `hub` is the PoCo diamond, `rlc` is zero in the native flavour."""

    hub: str
    rlc: str
    app_registry: str
    dataset_registry: str
    workerpool_registry: str
    flavour: Flavour = Flavour.TOKEN

    @property
    def interface(self) -> artifacts.Artifact:
        """The interface of the hub: all functions of all facets."""
        return artifacts.poco(_INTERFACES[self.flavour])


def deploy(rpc: JsonRpc, owner: Wallet, flavour: Flavour = Flavour.TOKEN) -> Contracts:
    """Deploy all contracts from `owner`, which becomes the owner of the diamond and of all RLC tokens.

    Sends all transactions at once with preset nonces. Raises `TransactionError` when one reverts.
    """
    outbox, web3 = Outbox(rpc), rpc.web3

    def create(
        artifact: artifacts.Artifact, *arguments: object, libraries: dict[str, str] | None = None
    ) -> str:
        creation = artifact.creation(web3, *arguments, libraries=libraries or {})
        return outbox.create(owner, f"creation of {artifact.name}", creation)

    rlc = create(artifacts.rlc()) if flavour is Flavour.TOKEN else _ZERO_ADDRESS
    address, known = _create_diamond(create, owner)
    diamond = artifacts.dependency("DiamondCutFacet").at(web3, address)
    libraries = {"IexecLibOrders_v5": create(artifacts.poco("IexecLibOrders_v5"))}
    for name in (*_FACETS, _ESCROWS[flavour]):
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

    hub = artifacts.poco(_INTERFACES[flavour]).at(web3, address)
    configure = hub.functions.configure(rlc, "Staked RLC", "SRLC", 9, *registries, _ZERO_ADDRESS)
    outbox.invoke(owner, "configure", configure)
    for name, seconds in CATEGORIES.items():
        outbox.invoke(owner, f"category {name}", hub.functions.createCategory(name, '""', seconds))
    outbox.flush()
    apps, datasets, workerpools = registries
    return Contracts(hub.address, rlc, apps, datasets, workerpools, flavour)


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

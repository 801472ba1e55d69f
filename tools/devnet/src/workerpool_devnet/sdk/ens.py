"""The pool's name in ENS: SDK 7.x, and 8.x on Bellecour, look up the pool's API there.

The reverse record of the workerpool names it, the name's text record `iexec:workerpool-api:url` holds the URL. The
contracts are those that the ENS project published; the registry stands at the address that the SDK has for Bellecour.
"""

from __future__ import annotations

from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import ZERO_BYTES32, Address, address_bytes, to_hex

from workerpool_devnet.chain.jsonrpc import JsonRpc
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market import artifacts

REGISTRY: Address = "0x5f5B93fca68c9C79318d1F3868A354EE67D8c006"
"""The ENS registry of Bellecour, the only one that SDK 8.x knows for a chain of iExec."""
POOL_NAME = "devnet.pools.iexec.eth"
URL_KEY = "iexec:workerpool-api:url"
"""Key of the text record with the URL of the pool's API."""

_GAS = 400_000
_DEPLOY_GAS = 4_000_000


def namehash(name: str) -> bytes:
    """Return the node of a name in ENS (EIP-137)."""
    node = ZERO_BYTES32
    for label in reversed(name.split(".")) if name else ():
        node = keccak(node + keccak(label.encode()))
    return node


def name_pool(rpc: JsonRpc, owner: Wallet, workerpool: Address, url: str) -> Address:
    """Create ENS on the chain, name the workerpool, and record the URL of its API; return the resolver's address.

    `owner` pays the gas and owns every name. Raises `TransactionError` when a transaction reverts.
    """
    registry_code = artifacts.ens("ENSRegistry")
    rpc.batch(
        [
            ("anvil_setCode", [REGISTRY, registry_code.runtime]),
            ("anvil_setStorageAt", [REGISTRY, _root_owner_slot(), _word(owner.address)]),
        ]
    )
    outbox, web3 = Outbox(rpc), rpc.web3
    registry, resolver_code = registry_code.at(web3, REGISTRY), artifacts.ens("OwnedResolver")
    creation = resolver_code.creation(web3, libraries={})
    resolver = resolver_code.at(web3, outbox.create(owner, "creation of the ENS resolver", creation))
    reverse_name = f"{workerpool[2:].lower()}.addr.reverse"
    for name in [*_path(POOL_NAME), *_path(reverse_name)]:
        label, _, parent = name.partition(".")
        record = registry.functions.setSubnodeRecord(
            namehash(parent), keccak(label.encode()), owner.address, resolver.address, 0
        )
        outbox.invoke(owner, f"ENS record of {name}", record, gas=_GAS)
    node = namehash(POOL_NAME)
    set_address = resolver.get_function_by_signature("setAddr(bytes32,address)")
    for label, call in {
        "address": set_address(node, workerpool),
        "text": resolver.functions.setText(node, URL_KEY, url),
        "name": resolver.functions.setName(namehash(reverse_name), POOL_NAME),
    }.items():
        outbox.invoke(owner, f"ENS {label} of the pool", call, gas=_GAS)
    outbox.flush()
    return str(resolver.address)


def _path(name: str) -> list[str]:
    """Return the name and its parents, the top-level one first."""
    labels = name.split(".")
    return [".".join(labels[first:]) for first in reversed(range(len(labels)))]


def _root_owner_slot() -> str:
    """Return the storage slot of the root's owner: entry 0 of the mapping in slot 0, first field."""
    return to_hex(keccak(ZERO_BYTES32 + ZERO_BYTES32))


def _word(account: Address) -> str:
    return to_hex(address_bytes(account).rjust(32, b"\0"))

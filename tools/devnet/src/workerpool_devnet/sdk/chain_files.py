"""The SDK's configuration of chains, `chain.json`, in the form of each version that is in use.

A version refuses a file with a key that it does not know: 7.x does not know `compass`, 9.x does not know `resultProxy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workerpool_poco.protocol.ids import Address

NAME = "devnet"
"""Name of the chain in each file."""
CHAIN_FILES = ("chain.json", "chain-8.json", "chain-7.json")
"""Files for SDK 9.x (8.x takes it too, without `storage init`), 8.x and 7.x."""
_WITHOUT_COMPASS = 134
"""SDK 8.x refuses a compass on Bellecour and uses ENS."""


@dataclass(frozen=True, kw_only=True)
class SdkView:
    """The addresses of a devnet that its requesters use: HTTP URLs without a path, and contracts."""

    chain_id: int
    native: bool
    """Whether deposits are the chain's coin and gas is free."""
    rpc: str
    hub: Address
    core: str
    result_proxy: str
    sms: str
    market: str
    ens_registry: Address
    ens_resolver: Address


def chain_files(view: SdkView) -> dict[str, dict[str, Any]]:
    """Return the content of each file of `CHAIN_FILES`."""
    common = {
        "id": str(view.chain_id),
        "host": view.rpc,
        "hub": view.hub,
        "sms": view.sms,
        "ipfsGateway": view.result_proxy,
        "iexecGateway": view.market,
    }
    flags = {"native": view.native, "useGas": not view.native}
    compass = {"compass": view.core}
    proxy = {"resultProxy": view.result_proxy}
    ens = {"ensRegistry": view.ens_registry, "ensPublicResolver": view.ens_resolver}
    newest, eight, seven = CHAIN_FILES
    return {
        newest: _file({**common, **compass}),
        eight: _file({**common, **proxy, **flags, **({} if view.chain_id == _WITHOUT_COMPASS else compass)}),
        seven: _file({**common, **proxy, **flags, **ens, "flavour": "standard"}),
    }


def _file(chain: Mapping[str, Any]) -> dict[str, Any]:
    return {"default": NAME, "chains": {NAME: dict(chain)}}

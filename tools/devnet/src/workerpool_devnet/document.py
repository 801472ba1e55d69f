"""`devnet.json`: what a client of a running devnet needs; the README of this tool documents its keys."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import Address

from workerpool_devnet.errors import OptionsError
from workerpool_devnet.market.deployment import CATEGORIES, Contracts
from workerpool_devnet.services.plan import SDK_SERVICES
from workerpool_devnet.services.service import Service


@dataclass(frozen=True, kw_only=True)
class RunningPool:
    """What clients need to know about a running devnet."""

    rpc: str
    chain_id: int
    block_time: float
    """Seconds between blocks; 0 mines every transaction at once."""
    trust: int
    contracts: Contracts
    workerpool: Address
    accounts: Mapping[str, Wallet]
    private_keys: Mapping[str, str]
    """Role → private key in hexadecimal, for every role of `accounts`."""
    services: Iterable[Service]
    database_uri: str
    databases: Mapping[str, str]
    """Service name → name of its database."""
    sdk: Mapping[str, Any] = field(default_factory=dict)
    """The description of the files for the SDK; empty without them."""


def describe(pool: RunningPool) -> dict[str, Any]:
    """Return the content of `devnet.json`."""
    started = [service for service in pool.services if service.process.started]
    return {
        "rpc": pool.rpc,
        "chainId": pool.chain_id,
        "blockTime": pool.block_time,
        "flavour": pool.contracts.flavour.value,
        "hub": pool.contracts.hub,
        "rlc": pool.contracts.rlc,
        "workerpool": pool.workerpool,
        "registries": {
            "app": pool.contracts.app_registry,
            "dataset": pool.contracts.dataset_registry,
            "workerpool": pool.contracts.workerpool_registry,
        },
        "categories": {
            name: {"id": position, "workClockTime": seconds}
            for position, (name, seconds) in enumerate(CATEGORIES.items())
        },
        "trust": pool.trust,
        "accounts": {
            role: {"address": wallet.address, "privateKey": pool.private_keys[role]}
            for role, wallet in pool.accounts.items()
        },
        "services": {
            service.name: {
                **({"grpc": service.grpc} if service.grpc else {}),
                "http": service.http,
                "pid": service.pid,
                "log": str(service.process.log),
            }
            for service in started
        },
        **{service.name: service.http for service in started if service.name in SDK_SERVICES},
        **({"sdk": dict(pool.sdk)} if pool.sdk else {}),
        "database": {"uri": pool.database_uri, "names": dict(pool.databases)},
    }


def check_place(path: Path, others: Iterable[Path] = ()) -> None:
    """Check that the document of a new devnet, and other files, can be written; raises `OptionsError` if not."""
    for each in (path, *others):
        if each.exists():
            raise OptionsError(
                f"{each} exists: another devnet wrote it, or a devnet ended with the machine; "
                "stop that devnet or remove the file, or name another place with --out (`make devnet OUT=…`)"
            )
    folder = path.absolute().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OptionsError(f"{path} cannot be written: create the folder {folder}, or make it writable")


def write_atomically(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file in one step, readable by its owner only."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.touch(mode=0o600)
    beside.write_text(json.dumps(content, indent=2) + "\n")
    beside.replace(path)

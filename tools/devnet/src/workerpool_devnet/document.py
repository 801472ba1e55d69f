"""`devnet.json`: what a client of a running devnet needs to know; documented in the README here."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workerpool_devnet.errors import OptionsError
from workerpool_devnet.market.deployment import CATEGORIES

if TYPE_CHECKING:
    from workerpool_devnet.devnet import Devnet


def describe(net: Devnet, private_keys: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of `devnet.json` for a running devnet; `private_keys` by role."""
    return {
        "rpc": net.chain.url,
        "chainId": net.chain.chain_id,
        "blockTime": net.options.block_time,
        "hub": net.contracts.hub,
        "rlc": net.contracts.rlc,
        "workerpool": net.workerpool,
        "registries": {
            "app": net.contracts.app_registry,
            "dataset": net.contracts.dataset_registry,
            "workerpool": net.contracts.workerpool_registry,
        },
        "categories": {
            name: {"id": position, "workClockTime": seconds}
            for position, (name, seconds) in enumerate(CATEGORIES.items())
        },
        "trust": net.options.trust,
        "accounts": {
            role: {"address": wallet.address, "privateKey": private_keys[role]}
            for role, wallet in net.accounts.items()
        },
        "services": {
            name: {
                "grpc": service.grpc,
                "http": service.http,
                "pid": service.pid,
                "log": str(service.process.log),
            }
            for name, service in net.services.items()
            if service.process.started
        },
        "database": {"uri": net.database.uri, "names": dict(net.databases)},
    }


def check_place(path: Path) -> None:
    """Refuse, with `OptionsError`, a place where the document of a new devnet cannot appear."""
    if path.exists():
        raise OptionsError(
            f"{path} exists already: it is that of another devnet, or a machine that went down left it; "
            "stop that devnet or remove the file, or name another one with --out (`make devnet OUT=…`)"
        )
    folder = path.absolute().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OptionsError(f"{path} cannot be written: create the folder {folder}, or make it writable")


def write_atomically(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON so that a reader sees all of it or nothing; only the owner may read it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.touch(mode=0o600)
    beside.write_text(json.dumps(content, indent=2) + "\n")
    beside.replace(path)

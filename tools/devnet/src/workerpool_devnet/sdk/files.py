"""The files for the SDK beside `devnet.json`: written when the devnet is ready, removed at its end."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workerpool_poco.chain.wallet import Wallet

from workerpool_devnet.document import write_atomically
from workerpool_devnet.processes.run_folder import remove_path
from workerpool_devnet.sdk.chain_files import CHAIN_FILES, SdkView, chain_files
from workerpool_devnet.sdk.keystore import PASSWORD_FILE, write_keystore

KEYSTORE = "keystore"


def sdk_paths(folder: Path) -> list[Path]:
    """Return the paths that `SdkFiles.write` creates in a folder."""
    return [*(folder / name for name in CHAIN_FILES), folder / KEYSTORE]


@dataclass(frozen=True)
class SdkFiles:
    """The files of one devnet: `paths` in the order of their removal."""

    folder: Path
    password: str
    keystores: Mapping[str, Path]

    @classmethod
    def write(cls, folder: Path, view: SdkView, wallets: Mapping[str, Wallet]) -> SdkFiles:
        """Write the chain files and the key stores of the wallets by role, the usual one first."""
        password = secrets.token_urlsafe(12)
        keystores = write_keystore(folder / KEYSTORE, wallets, password, datetime.now(UTC))
        for name, content in chain_files(view).items():
            write_atomically(folder / name, content)
        return cls(folder, password, keystores)

    @property
    def paths(self) -> list[Path]:
        """Every file, then the folder of the key stores."""
        store = self.folder / KEYSTORE
        chains = [self.folder / name for name in CHAIN_FILES]
        return [*chains, *self.keystores.values(), store / PASSWORD_FILE, store]

    def describe(self) -> dict[str, Any]:
        """Return the part of `devnet.json` about these files."""
        return {
            "chains": {name: str(self.folder / name) for name in CHAIN_FILES},
            "keystore": str(self.folder / KEYSTORE),
            "password": self.password,
        }

    def remove(self) -> None:
        """Remove every file. A folder with other files in it stays."""
        for path in self.paths:
            remove_path(path)

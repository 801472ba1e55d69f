"""A folder in which a user works with the command line: its files, and the edits that a user makes in them."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workerpool_poco.chain.wallet import Wallet

from sdk.command_line import CommandLine
from sdk.releases import Release, executables
from sdk.surroundings import Surroundings

TDX_TAG = "tee,tdx"


@dataclass
class Project:
    """A folder with chain.json, iexec.json and an unencrypted wallet.json, and the addresses of what was deployed."""

    release: Release
    around: Surroundings
    iexec: CommandLine
    wallet: Wallet
    app: str = ""
    dataset: str = ""
    workerpool: str = ""
    """A workerpool of this user, which no scheduler serves."""

    @property
    def folder(self) -> Path:
        """The folder of the user."""
        return self.iexec.folder

    @property
    def user(self) -> str:
        """The checksummed address of the user."""
        return self.wallet.address

    @property
    def tag(self) -> tuple[str, ...]:
        """The option that names the only tag of a release for TDX; nothing for the others."""
        return ("--tag", TDX_TAG) if self.release.tdx_only else ()

    def read(self, name: str) -> dict[str, Any]:
        """Return one of the JSON files of the folder."""
        found = json.loads((self.folder / name).read_text())
        assert isinstance(found, dict)
        return found

    def edit(self, *path: str, **fields: Any) -> None:
        """Set fields of an object in iexec.json, such as `edit("order", "apporder", volume="5")`."""
        content = self.read("iexec.json")
        section = content
        for key in path:
            section = section[key]
        section.update(fields)
        (self.folder / "iexec.json").write_text(json.dumps(content))


async def new_project(release: Release, around: Surroundings, folder: Path, name: str) -> Project:
    """Set a project up as the SDK's manual says: `iexec init`, then the chain.json of the devnet, then a wallet."""
    folder.mkdir(parents=True)
    iexec = CommandLine(await asyncio.to_thread(executables, release), folder)
    key = around.funded_key(name)
    await iexec.run("init", "--skip-wallet", "--force")
    shutil.copyfile(around.files / release.chain_file, folder / "chain.json")
    await iexec.run("wallet", "import", key, "--unencrypted", "--force")
    return Project(release, around, iexec, Wallet.from_key(key))


async def owner_project(release: Release, around: Surroundings, folder: Path) -> Project:
    """Return a project of the owner of the devnet's pool."""
    account = around.document["accounts"]["poolOwner"]
    around.funded["poolOwner"] = account["privateKey"]
    return await new_project(release, around, folder, "poolOwner")

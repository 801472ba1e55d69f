"""The devnets that serve the command lines, and the user of a release on one of them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from e2e.shell_image import ensure_shell_image
from workerpool_devnet.demo.documents import DocumentServer
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.deployment import Flavour
from workerpool_devnet.options import NATIVE_CHAIN_ID, DevnetOptions

from sdk.project import Project, new_project
from sdk.releases import Release
from sdk.scenarios import resources, tasks
from sdk.surroundings import Surroundings

TOKEN = DevnetOptions(workers=2, sdk=True)
"""A devnet of the token flavour, as on Arbitrum."""
NATIVE = DevnetOptions(workers=2, sdk=True, flavour=Flavour.NATIVE, chain_id=NATIVE_CHAIN_ID)
"""A devnet with the coin and the id of Bellecour."""


@contextlib.asynccontextmanager
async def running(options: DevnetOptions, folder: Path) -> AsyncIterator[Surroundings]:
    """Run a devnet that serves the command line; write its files into `folder`."""
    with DocumentServer() as documents:
        async with Devnet(options) as net:
            net.write_document(folder / "devnet.json")
            yield Surroundings(
                net.chain.rpc,
                net.contracts,
                folder,
                net.document(),
                ensure_shell_image(),
                documents.urls,
                net.logs,
            )


@dataclass(frozen=True)
class Served:
    """A user whom the pool serves, another user of the same release, and deals that expire meanwhile."""

    project: Project
    stranger: Project
    expiring: tasks.ExpiringDeals


async def served_by(around: Surroundings, release: Release, folder: Path) -> Served:
    """Set a user of a release up: wallet, app, dataset, workerpool, deals that expire during other tests."""
    name = f"{release}-{secrets.token_hex(2)}"
    project = await new_project(release, around, folder / "user", name)
    stranger = await new_project(release, around, folder / "stranger", f"not {name}")
    await resources.deploys(project)
    return Served(project, stranger, await tasks.buys_what_expires(project))

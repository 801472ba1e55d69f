"""The essence of a release, for `make test-full`: the commands without which a requester gets no result."""

from __future__ import annotations

import secrets
from pathlib import Path

from sdk.project import Project, new_project, owner_project
from sdk.releases import Release
from sdk.scenarios import resources, tasks, tdx
from sdk.scenarios import secrets as of_secrets
from sdk.surroundings import Surroundings


async def is_served(around: Surroundings, release: Release, folder: Path) -> None:
    """Deploy an app, push a secret, run the app on an order of the publisher, download its result, read its logs."""
    project = await _project(around, release, folder)
    await resources.deploys_dataset(project)
    if not release.has_compass:  # this release signs in to the result proxy before it runs an app
        assert (await project.iexec.run("storage", "init"))["isInitialized"] is True
    await of_secrets.of_a_requester(project)
    task = await tasks.runs_and_downloads(project)
    await tasks.debugs_after_the_end(project, task)


async def learns_that_no_sms_serves_tdx(around: Surroundings, release: Release, folder: Path) -> None:
    """Push a secret, match an order with the tag 0x9, and learn within seconds why it cannot be served."""
    project = await _project(around, release, folder)
    await of_secrets.of_a_requester(project)
    owner = await owner_project(release, around, folder / "owner")
    await tdx.task_ends_with_the_reason(project, owner)


async def _project(around: Surroundings, release: Release, folder: Path) -> Project:
    """Return a project with an app."""
    project = await new_project(release, around, folder / "user", f"{release}-{secrets.token_hex(2)}")
    await resources.deploys_app(project)
    return project

"""What the user of one release does on a devnet, step by step: the one list that the tests of all releases run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sdk.project import owner_project
from sdk.releases import Release
from sdk.scenarios import orders, secrets, tasks, tdx, wallets
from sdk.users import Served

Scenario = Callable[[Served], Awaitable[None]]


def scenarios_of(release: Release) -> list[Scenario]:
    """Return the scenarios of a release in their order; what is claimed last expires during the others."""
    deals = FOR_TDX if release.tdx_only else STANDARD_DEALS
    return [*WITHOUT_DEALS, *deals, claims_what_expired]


async def manages_a_wallet(served: Served) -> None:
    """Import a wallet, send RLC to a new one, deposit and withdraw."""
    await wallets.imports_and_shows(served.project)
    await wallets.receives_and_deposits(served.project)


async def opens_the_keystores_of_the_devnet(served: Served) -> None:
    """Open the key stores beside devnet.json."""
    await wallets.opens_the_keystores_of_the_devnet(served.project)


async def pushes_secrets(served: Served) -> None:
    """Push secrets of every kind, and be refused those of others."""
    await secrets.of_every_kind(served.project, served.stranger)


async def finds_the_core_of_the_pool(served: Served) -> None:
    """Find core by compass, or by ENS."""
    await tdx.names_the_core_of_the_pool(served.project)


async def publishes_and_withdraws_orders(served: Served) -> None:
    """Publish orders of each kind, find them, withdraw them."""
    await orders.publishes_and_withdraws(served.project)
    await orders.signs_and_publishes_from_file(served.project)
    await orders.requests_an_execution(served.project)


async def fills_an_order_of_the_publisher(served: Served) -> None:
    """Match an order of the pool by hand, for an app that fails, and learn why it failed."""
    deal = await orders.fills_an_order_of_the_pool(served.project)
    await tasks.learns_why_the_app_failed(served.project, deal)


async def runs_an_app_and_downloads(served: Served) -> None:
    """Run an app with input files and a dataset, watch it, download its result, read its logs."""
    task = await tasks.runs_and_downloads(served.project)
    await tasks.debugs_after_the_end(served.project, task)


async def reads_logs_while_the_app_runs(served: Served) -> None:
    """Read the output of an app that runs."""
    await tasks.reads_logs_while_the_app_runs(served.project)


async def learns_that_no_sms_serves_tdx(served: Served) -> None:
    """Match orders for TDX that the pool's owner published by hand; the tasks end with the reason."""
    project = served.project
    owner = await owner_project(project.release, project.around, project.folder.parent / "owner")
    await tdx.task_ends_with_the_reason(project, owner)
    await tdx.filled_order_ends_with_the_reason(project, owner)


async def claims_what_expired(served: Served) -> None:
    """Claim a task and a deal after their final deadline."""
    await tasks.claims(served.project, served.expiring)


WITHOUT_DEALS: tuple[Scenario, ...] = (
    manages_a_wallet,
    opens_the_keystores_of_the_devnet,
    pushes_secrets,
    finds_the_core_of_the_pool,
    publishes_and_withdraws_orders,
)
STANDARD_DEALS: tuple[Scenario, ...] = (
    fills_an_order_of_the_publisher,
    runs_an_app_and_downloads,
    reads_logs_while_the_app_runs,
)
FOR_TDX: tuple[Scenario, ...] = (learns_that_no_sms_serves_tdx,)

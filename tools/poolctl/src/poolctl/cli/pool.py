"""Commands about the pool as a whole: status."""

from typing import TYPE_CHECKING, Any

import click

from poolctl.cli.session import now, print_answer, run, settings_of, with_output
from poolctl.errors import CommandFailed
from poolctl.rendering.output import Output

if TYPE_CHECKING:
    from poolctl.settings import PoolctlSettings


def register(app: click.Group) -> None:
    """Add the commands to the command line."""
    app.add_command(status)


@click.command
@with_output
@click.pass_context
def status(context: click.Context, output: Output | None) -> None:
    """Show what the pool does now: workers, tasks, chain, wallet, and its problems.

    The wallet is shown when the credentials of the chain adapter are set.

    \b
    Examples:
      poolctl status
      poolctl status -o json | jq .pool.alive_workers
    """

    def view(document: Any) -> Any:
        from poolctl.rendering.pool_views import status_view

        return status_view(document, now())

    print_answer(context, run(read_status(settings_of(context))), view, output)


async def read_status(settings: "PoolctlSettings") -> dict[str, Any]:
    """Return the summaries of core and of the wallet; without the latter, a note says why. Raises CommandFailed."""
    import asyncio

    from poolctl.adapters.core import Core
    from poolctl.adapters.services import Services

    async with Services(settings) as services:
        wanted = settings.adapter_password is not None
        pool, wallet = await asyncio.gather(
            Core(services).status(), _wallet(services) if wanted else _no_wallet()
        )
    found, note = wallet
    return {"pool": pool, "wallet": found, "notes": [note] if note else []}


async def _wallet(services: Any) -> tuple[dict[str, Any] | None, str]:
    from poolctl.adapters.adapter import Adapter

    try:
        return await Adapter(services).wallet(), ""
    except CommandFailed as failed:
        return None, f"no wallet: {failed.message}"


async def _no_wallet() -> tuple[dict[str, Any] | None, str]:
    return None, "the wallet is shown with IEXEC_CORE_CHAIN_ADAPTER_PASSWORD or PROD_CHAIN_ADAPTER_PASSWORD"

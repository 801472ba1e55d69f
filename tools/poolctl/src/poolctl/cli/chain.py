"""Commands about money and the chain: transactions and orders."""

import re
from typing import Any

import click

from poolctl.cli.session import (
    first,
    limit_option,
    now,
    print_answer,
    run,
    settings_of,
    text_option,
    usage,
    with_output,
)
from poolctl.errors import UnusableSettings
from poolctl.rendering.output import Output

_ID = re.compile(r"(0x[0-9a-f]{64})?")


def register(app: click.Group) -> None:
    """Add the commands to the command line."""
    app.add_command(deals)
    app.add_command(tx)
    app.add_command(orders)


@click.command
@click.argument("deal", metavar="[DEAL]", default="")
@text_option("--requester", help="Only deals of this requester.")
@limit_option(30, "Most deals to list, newest first.")
@with_output
@click.pass_context
def deals(context: click.Context, deal: str, requester: str, limit: int, output: Output | None) -> None:
    """List the deals of the pool with their tasks by status; with an id, one deal and why its tasks wait or failed.

    \b
    Examples:
      poolctl deals --limit 5
      poolctl deals 0x52ab…
    """
    from poolctl.adapters.core import Core
    from poolctl.adapters.services import Services

    if not _ID.fullmatch(deal.lower()):
        usage("DEAL: expected 0x and 64 hexadecimal digits", "`poolctl deals -o json` lists whole ids")

    async def read() -> Any:
        async with Services(settings_of(context)) as services:
            core = Core(services)
            return await (
                core.deal(deal.lower()) if deal else core.deals(requester=requester, limit=limit + 1)
            )

    def view(document: Any) -> Any:
        from poolctl.rendering.chain_views import deal_view, deals_view

        return deal_view(document, now()) if deal else deals_view(document, now())

    found = run(read())
    print_answer(context, found if deal else first(found, limit, "deal"), view, output)


def _check_state(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    from poolctl.adapters.adapter import STATES

    if value and value.upper() not in STATES:
        raise click.BadParameter(f"{value} is not a state; choose from {', '.join(STATES)}")
    return value.upper()


@click.command
@text_option(
    "--state",
    help="Only commands in this state: RECEIVED, PROCESSING, SUCCESS, FAILURE.",
    callback=_check_state,
)
@text_option("--task", help="Only commands of this task.")
@limit_option(30, "Most commands to list, newest first.")
@with_output
@click.pass_context
def tx(context: click.Context, state: str, task: str, limit: int, output: Output | None) -> None:
    """Show the pool owner's wallet and its transactions, newest first.

    Needs the credentials of the chain adapter.

    \b
    Examples:
      poolctl tx --state FAILURE
      poolctl tx --task 0x3f1c… -o json
    """
    from poolctl.adapters.adapter import Adapter
    from poolctl.adapters.services import Services

    if not _ID.fullmatch(task.lower()):
        usage("--task: expected 0x and 64 hexadecimal digits")

    async def read() -> dict[str, Any]:
        async with Services(settings_of(context)) as services:
            adapter = Adapter(services)
            return {
                "wallet": await adapter.wallet(),
                "commands": await adapter.commands(state=state, task=task.lower(), limit=limit + 1),
            }

    def view(document: Any) -> Any:
        from poolctl.rendering.chain_views import commands_view

        return commands_view(document, now())

    found = run(read())
    print_answer(context, {**found, "commands": first(found["commands"], limit, "command")}, view, output)


@click.group(invoke_without_command=True)
@with_output
@click.pass_context
def orders(context: click.Context, output: Output | None) -> None:
    """Show the orders that the publisher keeps, and why it offers no more.

    Needs the credentials of the order publisher's operator.

    \b
    Examples:
      poolctl orders
      poolctl orders list       what the market lists, as the CLI in the publisher's container showed it
    """
    if context.invoked_subcommand is not None:
        return
    from poolctl.adapters.publisher import offers
    from poolctl.adapters.services import Services

    async def read() -> dict[str, Any]:
        async with Services(settings_of(context)) as services:
            return await offers(services)

    def view(document: Any) -> Any:
        from poolctl.rendering.chain_views import offers_view

        return offers_view(document, now())

    print_answer(context, run(read()), view, output)


@orders.command("list")
@text_option("--tag", help="Only orders that serve this tag, such as 0x100 for a GPU.")
@click.option("--category", type=click.IntRange(min=0), help="Only orders of this category.")
@with_output
@click.pass_context
def list_orders(context: click.Context, tag: str, category: int | None, output: Output | None) -> None:
    """List the open orders of the pool on the market, as `iexec orderbook workerpool` does.

    Needs MARKET_API_URL, the chain id and the pool's address.

    \b
    Example:
      poolctl orders list --category 0
    """
    from poolctl.adapters.publisher import market_orders

    settings = settings_of(context)

    async def read() -> list[dict[str, Any]]:
        if settings.market_url is None or settings.pool_address is None:
            raise UnusableSettings(
                "MARKET_API_URL or POOL_ADDRESS is not set",
                "set both in the environment or in the pool's .env",
            )
        query = {"chainId": str(await _chain_id(settings)), "workerpool": settings.pool_address}
        if tag:
            query["maxTag"] = query["minTag"] = f"0x{int(tag, 16):064x}"
        if category is not None:
            query["category"] = str(category)
        return await market_orders(settings.market_url, query)

    if tag:
        try:
            int(tag, 16)
        except ValueError:
            usage("--tag: expected a hexadecimal number such as 0x100")

    def view(document: Any) -> Any:
        from poolctl.rendering.chain_views import market_view

        return market_view(document)

    print_answer(context, run(read()), view, output)


async def _chain_id(settings: Any) -> int:
    from poolctl.adapters.chain import chain_of

    return int(settings.chain_id or (await chain_of(settings)).chain_id)

"""Checks at the start, before the first order.

An unreachable node is retried; an error that only an operator can correct ends the process.
"""

import asyncio

from workerpool_kit.dependencies.report import UNREACHABLE, WRONG, DependencyProblem, DependencyReport
from workerpool_kit.process import StartupError
from workerpool_kit.retry import Backoff, retry
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet, WalletError
from workerpool_poco.errors import CallReverted, HubNotFound, MalformedAnswer, PocoError, WrongChain

from workerpool_order_publisher.settings import OrderPublisherSettings

_BACKOFF = Backoff(first_s=0.1, longest_s=2.0)


class NodeNotReady(Exception):
    """The node does not answer correctly yet; see the cause."""


async def open_wallet(settings: OrderPublisherSettings) -> Wallet:
    """Open the pool owner's wallet. Raises StartupError."""
    try:
        return await asyncio.to_thread(
            Wallet.from_keystore, settings.wallet_path, settings.wallet_password.get_secret_value()
        )
    except WalletError as error:
        raise StartupError(
            f"{error}; check ORDER_PUBLISHER_WALLET_PATH and ORDER_PUBLISHER_WALLET_PASSWORD"
        ) from error


async def connect_chain(
    hub: HubClient, settings: OrderPublisherSettings, wallet: Wallet, report: DependencyReport
) -> int:
    """Wait for the node and check that the wallet owns the pool; return its worker stake ratio in percent.

    Raises StartupError when the hub or the pool does not exist, or when the pool belongs to another wallet.
    """

    async def check() -> int:
        try:
            await hub.connect()
            owner = await hub.workerpool_owner(settings.pool_address)
            pool = await hub.view_workerpool(settings.pool_address)
        except HubNotFound as error:
            raise StartupError(f"{error}; the config server describes the hub of another chain") from error
        except (CallReverted, MalformedAnswer) as error:
            raise StartupError(
                f"wrong pool address: there is no workerpool at {settings.pool_address}; check POOL_ADDRESS"
            ) from error
        except PocoError as error:
            raise NodeNotReady(str(error)) from error
        if owner != wallet.address:
            raise StartupError(
                f"workerpool {settings.pool_address} belongs to {owner}, but the wallet of "
                f"ORDER_PUBLISHER_WALLET_PATH is {wallet.address}; use the owner's wallet or another POOL_ADDRESS"
            )
        return pool.worker_stake_ratio

    def failed(error: Exception) -> None:
        kind = WRONG if isinstance(error.__cause__, WrongChain) else UNREACHABLE
        report.fails(DependencyProblem(str(error), kind=kind))

    ratio = await retry(check, what="reach the node", on=NodeNotReady, backoff=_BACKOFF, on_failure=failed)
    report.works()
    return ratio

"""Checks before the scheduler starts; each failure is one sentence with its cause.


An unreachable node or config server is retried; an error that only an operator can correct ends the process.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from workerpool_kit.dependencies.report import UNREACHABLE, WRONG, DependencyProblem, DependencyReport
from workerpool_kit.process import StartupError
from workerpool_kit.retry import Backoff, retry
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet, WalletError
from workerpool_poco.errors import CallReverted, HubNotFound, MalformedAnswer, PocoError, WrongChain
from workerpool_poco.protocol.ids import Address

T = TypeVar("T")

_BACKOFF = Backoff(first_s=0.1, longest_s=2.0)


class NotYet(Exception):
    """A dependency is not available yet, as the message says."""


async def waited_for(
    what: str, step: Callable[[], Awaitable[T]], note: Callable[[str], None], report: DependencyReport
) -> T:
    """Return the result of `step`, retried while it raises NotYet.

    `note` receives the name of the dependency, `report` the reason of each failure.
    """

    def failed(error: Exception) -> None:
        kind = WRONG if isinstance(error.__cause__, WrongChain) else UNREACHABLE
        report.fails(DependencyProblem(str(error), kind=kind))

    note(what)
    result = await retry(step, what=f"reach {what}", on=NotYet, backoff=_BACKOFF, on_failure=failed)
    report.works()
    return result


async def open_wallet(path: Path, password: str) -> Wallet:
    """Open the scheduler's wallet. Raises StartupError."""
    try:
        return await asyncio.to_thread(Wallet.from_keystore, path, password)
    except WalletError as error:
        raise StartupError(f"{error}; check IEXEC_CORE_WALLET_PATH and IEXEC_CORE_WALLET_PASSWORD") from error


async def connect_chain(hub: HubClient) -> None:
    """Check that the node serves the right chain and that the hub exists on it. Raises NotYet or StartupError."""
    try:
        await hub.connect()
    except WrongChain as error:
        # Another node may soon answer at the address.
        raise NotYet(f"{error}; IEXEC_BLOCKCHAIN_NODE_ADDRESS and the config server disagree") from error
    except HubNotFound as error:
        raise StartupError(f"{error}; the config server names another chain's hub") from error
    except PocoError as error:
        raise NotYet(f"the node does not answer: {error}") from error


async def check_pool(hub: HubClient, pool: Address, wallet: Wallet) -> None:
    """Check that the pool exists and that the wallet owns it. Raises NotYet or StartupError."""
    try:
        owner = await hub.workerpool_owner(pool)
        await hub.view_workerpool(pool)
    except (CallReverted, MalformedAnswer) as error:
        raise StartupError(
            f"wrong pool address: there is no workerpool at {pool} on chain {hub.chain_id}; check POOL_ADDRESS"
        ) from error
    except PocoError as error:
        raise NotYet(f"the node does not answer: {error}") from error
    if owner != wallet.address:
        raise StartupError(
            f"workerpool {pool} belongs to {owner}, but the wallet of IEXEC_CORE_WALLET_PATH is {wallet.address}; "
            "use the owner's wallet or another POOL_ADDRESS"
        )

"""Start-up checks: wallet, node, chain, hub, database, lease. A wrong setting ends the process."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from workerpool_kit.chain.node_calls import NodeCalls
from workerpool_kit.dependencies.report import (
    UNREACHABLE,
    WRONG,
    Dependency,
    DependencyProblem,
    DependencyReport,
)
from workerpool_kit.dependencies.watch import Probe
from workerpool_kit.logs import get_logger
from workerpool_kit.mongo.database import Database
from workerpool_kit.process import StartupError
from workerpool_poco.chain.heads import HeadStream
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.rpc import without_secrets
from workerpool_poco.chain.traffic import Traffic
from workerpool_poco.chain.wallet import (
    Wallet,
    WalletError,
    WalletFileInvalid,
    WalletFileMissing,
    WrongWalletPassword,
)
from workerpool_poco.errors import HubNotFound, WrongChain
from workerpool_transactions.adapters.first_reads import read_until_answered

from workerpool_chain_adapter.adapters.mongo.journal_origin import bind_origin
from workerpool_chain_adapter.app.lease import Lease
from workerpool_chain_adapter.errors import WalletInUse
from workerpool_chain_adapter.settings import DOCUMENTED_PASSWORD, ChainAdapterSettings

log = get_logger()

T = TypeVar("T")

CHAIN = "chain"
"""Name of the health component."""


def warn_of_default_password(settings: ChainAdapterSettings) -> None:
    """Log a warning when callers still authenticate with the documented default password."""
    if settings.password.get_secret_value() == DOCUMENTED_PASSWORD:
        log.warning("password.left_at_default", variable="IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD")


async def open_wallet(settings: ChainAdapterSettings) -> Wallet:
    """Open the pool owner's wallet. Raises StartupError with the variable to correct."""
    prefix = "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET"
    try:
        # The key derivation takes about a second of CPU by design.
        return await asyncio.to_thread(
            Wallet.from_keystore, settings.wallet_path, settings.wallet_password.get_secret_value()
        )
    except WrongWalletPassword as error:
        raise StartupError(f"{error}; correct {prefix}_PASSWORD") from error
    except (WalletFileMissing, WalletFileInvalid, WalletError) as error:
        raise StartupError(f"{error}; correct {prefix}_PATH") from error


def node_dependency(settings: ChainAdapterSettings) -> Dependency:
    """Return the node as a dependency, with the variable that an operator corrects."""
    return Dependency(
        CHAIN,
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
        without_secrets(settings.node_url),
        f"start the node or correct the variable; it must serve chain {settings.chain_id} (IEXEC_CHAIN_ID)",
    )


def node_problem(error: Exception) -> DependencyProblem:
    """Return an error of the node as a problem for health."""
    wrong = isinstance(error, WrongChain)
    return DependencyProblem(str(error) or "the node does not answer", kind=WRONG if wrong else UNREACHABLE)


def node_probe(heads: HeadStream) -> Probe:
    """Return the probe of the node that the stream of heads follows."""

    async def probe() -> None:
        if heads.outage is not None:
            raise node_problem(heads.outage)

    return probe


async def connect_hub(settings: ChainAdapterSettings, report: DependencyReport) -> HubClient:
    """Connect to the node, retrying until it answers for the right chain; health reports the reason meanwhile.


    Raises StartupError when the hub does not exist on that chain.
    """
    traffic = Traffic(calls_per_s=settings.node_calls_per_s, observer=NodeCalls())
    hub = HubClient(settings.node_url, settings.hub_address, chain_id=settings.chain_id, traffic=traffic)
    try:
        await retry_node(hub.connect, "connect to the node", report)
    except BaseException as error:
        await hub.close()
        if isinstance(error, HubNotFound):
            raise StartupError(
                f"{error}; correct IEXEC_HUB_ADDRESS or IEXEC_BLOCKCHAIN_NODE_ADDRESS"
            ) from error
        raise
    return hub


async def retry_node(step: Callable[[], Awaitable[T]], what: str, report: DependencyReport) -> T:
    """Return the result of a read from the node, retrying until it answers; health reports the reason meanwhile."""
    answer = await read_until_answered(
        step, what=what, on_failure=lambda error: report.fails(node_problem(error))
    )
    report.works()
    return answer


async def check_origin(database: Database, settings: ChainAdapterSettings) -> None:
    """Bind the database to this chain and hub. Raises StartupError when it belongs to others."""
    wanted = (settings.chain_id, settings.hub_address)
    found = await bind_origin(database, *wanted)
    if found != wanted:
        raise StartupError(
            f"the database {settings.mongo_database} contains the journal of chain {found[0]}, hub {found[1]}, "
            f"not of chain {wanted[0]}, hub {wanted[1]}; set another MONGO_DATABASE"
        )


async def acquire(lease: Lease) -> None:
    """Acquire the wallet. Raises StartupError when another adapter uses it."""
    try:
        await lease.acquire()
    except WalletInUse as error:
        raise StartupError(str(error)) from error

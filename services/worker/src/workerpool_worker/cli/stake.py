"""`poolworker stake` and `poolworker withdraw`: the wallet's deposit in the hub, moved by `libs/transactions`."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.clock import SystemClock
from workerpool_kit.runtime.tasks import end_tasks, start_task
from workerpool_kit.sqlite_file import SqliteFile
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet, WalletError
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.contracts import abi, calls
from workerpool_poco.protocol.encoding.amounts import coins, rlc
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, Hex
from workerpool_transactions.adapters.asyncio_timer import AsyncioTimer
from workerpool_transactions.adapters.detect import detect_profile
from workerpool_transactions.adapters.rpc_node import RpcNode
from workerpool_transactions.adapters.wallet_signer import WalletSigner
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.entry import Call, Entry, EntryState

from workerpool_worker.adapters import sqlite_transactions
from workerpool_worker.adapters.files.worker_lock import take_lock
from workerpool_worker.adapters.journal_reading import read_journal
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.adapters.sqlite_transactions import SqliteTransactions
from workerpool_worker.cli.pool_checks import PoolChecks, fee_policy
from workerpool_worker.domain.diagnosis.findings import Severity
from workerpool_worker.errors import CommandRefused, JournalUnusable
from workerpool_worker.settings import WorkerSettings

_WEI_OF_NRLC = 10**9
_MINED_LIMIT_S = 180.0
_OWN_JOURNAL, _OWN_VERSION = "operator-transactions.db", 1
_DISPLACEMENTS = 5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """A deposit or withdrawal that was mined: its transaction, and the stake after it in nRLC."""

    transaction: Hex
    stake: int
    locked: int


async def move(settings: WorkerSettings, nrlc: int, *, deposit: bool, say: Say) -> Moved:
    """Deposit or withdraw an amount and return once it is mined. Raises CommandRefused with the remedy."""
    async with AsyncExitStack() as stack:
        checks = PoolChecks(settings, stack)
        hub, chain = await _reach(checks)
        wallet = await _open_wallet(settings)
        try:
            call = await (_deposit if deposit else _withdrawal)(hub, wallet.address, nrlc)
            pipeline = await _pipeline(settings, checks, hub, chain, wallet, stack)
            mined = await _execute(pipeline, RpcNode(hub.rpc, wallet.address), call, say)
            account = await hub.view_account(wallet.address)
        except PocoError as outage:
            raise CommandRefused(f"the node of the chain fails: {outage}; run the command again") from outage
        except JournalUnusable as unusable:
            raise CommandRefused(unusable.message) from unusable
        return Moved(mined, account.stake, account.locked)


async def _reach(checks: PoolChecks) -> tuple[HubClient, ChainConfig]:
    found = [*await checks.scheduler(""), *await checks.node()]
    if checks.hub is None or checks.chain is None:
        problems = [each for each in found if each.severity is Severity.PROBLEM]
        raise CommandRefused(" ".join(f"{each.message}. {each.next_step}" for each in problems))
    return checks.hub, checks.chain


async def _open_wallet(settings: WorkerSettings) -> Wallet:
    password = settings.wallet_password.get_secret_value()
    try:
        return await asyncio.to_thread(Wallet.from_keystore, settings.wallet_path, password)
    except WalletError as problem:
        raise CommandRefused(
            f"{problem}; check IEXEC_WORKER_WALLET_PATH and IEXEC_WORKER_WALLET_PASSWORD"
        ) from problem


async def _deposit(hub: HubClient, wallet: Address, nrlc: int) -> Call:
    token = await hub.rlc_token()
    if token == ZERO_ADDRESS:
        (balance,) = await hub.balances([wallet])
        if balance < nrlc * _WEI_OF_NRLC:
            raise CommandRefused(
                f"the wallet {wallet} has {coins(balance)}, less than {rlc(nrlc)}; send it RLC"
            )
        deposit = calls.deposit_coins(nrlc)
        return Call(hub.hub_address, deposit.data, 0, ("DEPOSIT",), value=deposit.value)
    held = int((await hub.call(abi.RLC["balanceOf"], wallet, to=token))[0])
    if held < nrlc:
        raise CommandRefused(f"the wallet {wallet} has {rlc(held)}, less than {rlc(nrlc)}; send it RLC")
    data = calls.approve_and_deposit(token, hub.hub_address, nrlc).data
    return Call(token, data, 0, ("DEPOSIT",))


async def _withdrawal(hub: HubClient, wallet: Address, nrlc: int) -> Call:
    account = await hub.view_account(wallet)
    if account.stake < nrlc:
        raise CommandRefused(
            f"only {rlc(account.stake)} of the stake is free and {rlc(account.locked)} is locked by contributions; "
            "withdraw less, or wait until they are paid"
        )
    return Call(hub.hub_address, abi.HUB.encode("withdraw", nrlc), 0, ("WITHDRAW",))


async def _pipeline(
    settings: WorkerSettings,
    checks: PoolChecks,
    hub: HubClient,
    chain: ChainConfig,
    wallet: Wallet,
    stack: AsyncExitStack,
) -> Pipeline:
    policy = fee_policy(settings, chain)
    pipeline = Pipeline(
        node=RpcNode(hub.rpc, wallet.address),
        journal=await _journal(settings, chain, wallet, stack),
        signer=WalletSigner(wallet, chain.chain_id),
        clock=SystemClock(),
        timer=AsyncioTimer(),
        policy=policy,
        profile=await detect_profile(hub.rpc, chain.chain_id, policy=policy, shape=settings.chain_shape),
        settle=_nothing,
        restore=_nothing,
        block_time_s=chain.block_time_s,
    )
    await pipeline.resume()
    delivery = start_task(pipeline.run(), name="transactions")
    stack.push_async_callback(end_tasks, delivery)
    return pipeline


async def _journal(
    settings: WorkerSettings, chain: ChainConfig, wallet: Wallet, stack: AsyncExitStack
) -> SqliteTransactions:
    """Open the worker's own journal; while the worker runs, another one, and only if no transaction can meet ours."""
    file = await asyncio.to_thread(_file, settings, stack)
    if isinstance(file, SqliteJournal):
        await file.open()
        stack.push_async_callback(file.close)
        return SqliteTransactions(file.file, chain_id=chain.chain_id, wallet=wallet.address)
    await file.open(lambda connection: None)
    stack.push_async_callback(file.close)
    return SqliteTransactions(file, chain_id=chain.chain_id, wallet=wallet.address)


def _file(settings: WorkerSettings, stack: AsyncExitStack) -> SqliteJournal | SqliteFile:
    folder = settings.folder
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = take_lock(folder, command=True)
        if lock is not None:
            stack.callback(lock.close)
            return SqliteJournal(folder / "journal.db", on_failure=_ignore)
        held = len(read_journal(folder / "journal.db").tasks)
    except OSError as problem:
        raise CommandRefused(
            f"the folder {folder} cannot be used: {problem.strerror}; run the command as the worker's user"
        ) from problem
    except ValueError as problem:
        raise CommandRefused(str(problem)) from problem
    if held:
        raise CommandRefused(
            f"the worker runs and holds {held} replicates, whose transactions could take the place of this one; run "
            "poolworker drain first, or repeat the command when it is idle"
        )
    return SqliteFile(
        folder / _OWN_JOURNAL,
        schema=sqlite_transactions.SCHEMA,
        version=_OWN_VERSION,
        unusable=JournalUnusable,
        on_failure=_ignore,
    )


async def _execute(pipeline: Pipeline, node: RpcNode, call: Call, say: Say) -> Hex:
    """Send the call until it is mined, and return the hash of its transaction."""
    (estimate,) = await node.estimate([call])
    if estimate.gas is None:
        raise CommandRefused(f"the contract would refuse the transaction: {estimate.problem}")
    gas = estimate.gas + estimate.gas // 2
    for _ in range(_DISPLACEMENTS):
        entry = await _submitted(pipeline, Call(call.to, call.data, gas, call.labels, call.value))
        say(f"sent {entry.latest.hash}")
        entry = await _ended(pipeline, entry)
        if entry.state is not EntryState.DISPLACED:
            break
        say("another transaction of the wallet took its place; sending it again")
    if entry.state is EntryState.MINED and entry.receipt is not None:
        return entry.receipt.hash
    raise CommandRefused(
        f"transaction {entry.latest.hash} ended as {entry.state.value}; nothing was moved by it"
    )


async def _submitted(pipeline: Pipeline, call: Call) -> Entry:
    try:
        async with asyncio.timeout(_MINED_LIMIT_S):
            (entry,) = await pipeline.submit([call])
    except TimeoutError:
        raise CommandRefused(
            f"the transaction was not sent within {_MINED_LIMIT_S:.0f} s, because the node of the chain does not "
            "answer; once it does, check the stake with poolworker status, then run the command again"
        ) from None
    return entry


async def _ended(pipeline: Pipeline, entry: Entry) -> Entry:
    try:
        async with asyncio.timeout(_MINED_LIMIT_S):
            return await pipeline.wait(entry.nonce)
    except TimeoutError:
        reason = pipeline.status().parked_reason or "no block holds it yet"
        raise CommandRefused(
            f"transaction {entry.latest.hash} is not mined after {_MINED_LIMIT_S:.0f} s ({reason}); the journal keeps "
            "it, and the worker delivers it at its next start: do not send it twice"
        ) from None


async def _nothing(_entries: Sequence[Entry]) -> None:
    """Ignore entries that ended or are in flight again."""


def _ignore(_failure: Exception) -> None:
    """Leave a failed write to the call that waits for it."""

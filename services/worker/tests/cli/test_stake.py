"""`poolworker stake` and `withdraw` on the real contracts: refusals, journals, and transactions that do not end."""

import asyncio

import pytest
from workerpool_devnet.processes.ports import free_port
from workerpool_poco.chain.wallet import Transaction, Wallet
from workerpool_worker.adapters.files.worker_lock import take_lock
from workerpool_worker.adapters.sqlite_journal import SqliteJournal
from workerpool_worker.cli import stake
from workerpool_worker.cli.stake import move
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.errors import CommandRefused

from services.worker.tests.harness.builders import TASK_ID
from services.worker.tests.harness.context import unexpected
from services.worker.tests.harness.staker import Staker
from services.worker.tests.harness.waiting import Eventually

RLC = 10**9
OWN_JOURNAL = "operator-transactions.db"


async def test_a_worker_that_never_ran_moves_stake_and_leaves_its_journal_to_the_first_start(
    staker: Staker,
) -> None:
    before = await staker.stake()
    moved, said = await staker.move(2 * RLC, deposit=False)
    assert (moved.stake, moved.locked) == (before - 2 * RLC, 0)
    assert said == [f"sent {moved.transaction}"]
    moved, _ = await staker.move(1, deposit=True)
    assert moved.stake == await staker.stake() == before - 2 * RLC + 1
    folder = staker.settings.folder
    assert folder.stat().st_mode & 0o077 == 0, "a journal is its owner's"
    journal = SqliteJournal(folder / "journal.db", on_failure=unexpected)
    assert (await journal.open()).replicates == ()
    await journal.close()
    with take_lock(folder) or unexpected("the lock is free"):
        pass


async def test_the_whole_stake_can_be_withdrawn_and_not_one_nrlc_more(staker: Staker) -> None:
    before = await staker.stake()
    with pytest.raises(CommandRefused, match=r"of the stake is free and 0 RLC is locked.*; withdraw less"):
        await staker.move(before + 1, deposit=False)
    moved, _ = await staker.move(before, deposit=False)
    assert moved.stake == 0


async def test_more_than_the_wallet_has_is_refused_before_anything_is_written(staker: Staker) -> None:
    with pytest.raises(
        CommandRefused, match=rf"{staker.wallet.address} has .* RLC, less than .*; send it RLC"
    ):
        await staker.move(10**9 * RLC, deposit=True)
    assert not staker.settings.folder.exists()


async def test_beside_an_idle_worker_the_command_has_a_journal_of_its_own(staker: Staker) -> None:
    before, folder = await staker.stake(), staker.settings.folder
    folder.mkdir(parents=True)
    with take_lock(folder, 13100) or unexpected("the lock is free"):
        moved, _ = await staker.move(RLC, deposit=False)
    assert moved.stake == before - RLC
    assert (folder / OWN_JOURNAL).exists()
    assert not (folder / "journal.db").exists()


async def test_beside_a_worker_with_replicates_nothing_is_sent(staker: Staker) -> None:
    before, folder = await staker.stake(), staker.settings.folder
    folder.mkdir(parents=True)
    journal = SqliteJournal(folder / "journal.db", on_failure=unexpected)
    await journal.open()
    await journal.save_assignment(b"", ReplicateRecord(TASK_ID))
    worker = take_lock(folder, 13100)
    assert worker is not None
    with worker, pytest.raises(CommandRefused, match=r"holds 1 replicates.*poolworker drain first"):
        await staker.move(RLC, deposit=False)
    await journal.close()
    assert await staker.stake() == before


async def test_a_damaged_journal_is_reported(staker: Staker) -> None:
    folder = staker.settings.folder
    folder.mkdir(parents=True)
    (folder / "journal.db").write_text("no database" * 100)
    for port in (None, 13100):
        lock = take_lock(folder, port) if port else None
        with pytest.raises(CommandRefused, match=r"journal\.db"):
            await staker.move(RLC, deposit=False)
        if lock is not None:
            lock.close()
    with take_lock(folder) or unexpected("the lock is free"):
        pass


async def test_a_folder_that_cannot_be_made_is_reported(staker: Staker) -> None:
    staker.settings.base_dir.write_text("")
    with pytest.raises(CommandRefused, match="cannot be used: Not a directory"):
        await staker.move(RLC, deposit=False)


async def test_a_wrong_password_is_reported_with_the_variables(staker: Staker) -> None:
    Wallet.create().write_keystore(staker.settings.wallet_path, "another one", light=True)
    with pytest.raises(CommandRefused, match=r"does not open .*IEXEC_WORKER_WALLET_PASSWORD"):
        await staker.move(RLC, deposit=False)


async def test_an_unreachable_scheduler_is_reported_with_its_remedy(staker: Staker) -> None:
    await staker.core.stop()
    with pytest.raises(CommandRefused, match=r"does not answer.*Correct IEXEC_CORE_URL"):
        await staker.move(RLC, deposit=False)


async def test_an_unreachable_node_is_reported_with_its_remedy(staker: Staker) -> None:
    away = staker.settings.model_copy(update={"node_address": f"http://127.0.0.1:{free_port()}"})
    with pytest.raises(CommandRefused, match="IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS"):
        await move(away, RLC, deposit=False, say=unexpected)


async def test_a_transaction_that_is_not_mined_stays_in_the_journal_and_is_mined_later(
    staker: Staker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator must not send it twice: the next command or start of the worker delivers it."""
    before = await staker.stake()
    await asyncio.to_thread(staker.chain.chain.stop_mining)
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        monkeypatch.setattr(stake, "_MINED_LIMIT_S", 1.0)

    with pytest.raises(CommandRefused, match=r"is not mined after 1 s .*do not send it twice"):
        await move(staker.settings, RLC, deposit=False, say=say)
    assert len(said) == 1
    assert await staker.stake() == before
    await asyncio.to_thread(staker.chain.chain.mine_at_once)
    monkeypatch.undo()
    moved, _ = await staker.move(RLC, deposit=False)
    assert moved.stake == before - 2 * RLC, "the first transaction counts once"


async def test_a_node_lost_before_the_transaction_has_a_nonce_is_reported(
    staker: Staker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stake, "_MINED_LIMIT_S", 0.0)
    before = await staker.stake()
    with pytest.raises(CommandRefused, match=r"was not sent within 0 s.*run the command again"):
        await move(staker.settings, RLC, deposit=False, say=unexpected)
    assert await staker.stake() == before


async def test_a_transaction_that_another_one_displaces_is_sent_again(
    staker: Staker, eventually: Eventually
) -> None:
    """Two programs of one wallet may use one nonce; only one of the two transactions is mined."""
    before, chain = await staker.stake(), staker.chain.chain
    await asyncio.to_thread(chain.stop_mining)
    said: list[str] = []
    moving = asyncio.create_task(move(staker.settings, RLC, deposit=False, say=said.append))
    await eventually(lambda: said)
    await asyncio.to_thread(displace, staker)
    await asyncio.to_thread(chain.mine_at_once)
    moved = await moving
    assert moved.stake == before - RLC
    assert "another transaction of the wallet took its place" in said[1]
    assert said[2] == f"sent {moved.transaction}"
    assert said[0] != said[2]


def displace(staker: Staker) -> None:
    """Send a transfer with the wallet's next nonce, at a price that replaces the one in the pool."""
    rpc, wallet = staker.chain.chain.rpc, staker.wallet
    nonce = int(rpc.call("eth_getTransactionCount", wallet.address, "latest"), 16)
    price = 10 * int(rpc.call("eth_gasPrice"), 16) + 10**11
    transfer = Transaction(nonce, price, 21_000, wallet.address, 0, b"", staker.chain.chain_id)
    rpc.call("eth_sendRawTransaction", "0x" + wallet.sign_transaction(transfer).raw.hex())

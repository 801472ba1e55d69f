"""The contracts of the journals and of the wallet lease, over MongoDB and over memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from mongoengine.errors import ValidationError
from pydantic import SecretStr
from workerpool_chain_adapter.adapters.mongo.bulk import insert_new, replace_all
from workerpool_chain_adapter.adapters.mongo.command_journal import MongoCommandJournal
from workerpool_chain_adapter.adapters.mongo.documents import MODELS, CommandDocument
from workerpool_chain_adapter.adapters.mongo.entry_journal import MongoEntryJournal
from workerpool_chain_adapter.adapters.mongo.journal_origin import bind_origin
from workerpool_chain_adapter.adapters.mongo.wallet_lease import MongoWalletLease
from workerpool_chain_adapter.app.ports import CommandJournal, WalletLease
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind, CommandState
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.clock import FakeClock
from workerpool_kit.mongo.database import Database
from workerpool_kit.settings.base import MongoSettings
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_transactions.ports import Journal

from libs.transactions.tests.contract.journal_contract import (
    JournalContract,
    Reopen,
    entry,
    mined,
    version,
)
from services.chain_adapter.tests.doubles.journals import (
    MemoryCommandJournal,
    MemoryLeases,
    MemoryWalletLease,
)

WALLET, OTHER_WALLET = "0x" + "11" * 20, "0x" + "22" * 20
INITIALIZE, CLAIM = CommandKind.INITIALIZE, CommandKind.CLAIM

both = pytest.mark.parametrize("kind", ["mongo", "memory"])


@pytest.fixture
async def database(mongod: Mongod, database_name: str) -> AsyncIterator[Database]:
    settings = MongoSettings(mongo_uri=SecretStr(mongod.uri), mongo_database=database_name)
    database = await Database.connect(settings, models=MODELS)
    yield database
    await database.close()


def task(number: int) -> TaskId:
    return TaskId(f"0x{number:064x}")


def command(number: int, kind: CommandKind = INITIALIZE, at: float | None = None) -> Command:
    key = CommandKey(task(number), kind)
    created = float(number) if at is None else at
    return Command(
        key, created, created, deal_id=DealId("0x" + "dd" * 32), task_index=number, result_link="{}"
    )


@both
class TestCommandJournal:
    @pytest.fixture
    def journal(self, kind: str, request: pytest.FixtureRequest) -> CommandJournal:
        if kind == "memory":
            return MemoryCommandJournal()
        return MongoCommandJournal(request.getfixturevalue("database"))

    async def test_a_stored_command_is_read_back_equal(self, journal: CommandJournal) -> None:
        done = command(1).processing("0xaa", 2.0).succeeded(3.0, block_number=7, gas_used=9)
        failed = replace(
            command(2).failed(3.0, "REASON", "text"), callback_data="0x12", order='{"volume": 1}'
        )
        assert await journal.add([done, failed]) == [None, None]
        assert [await journal.get(each.key) for each in (done, failed)] == [done, failed]
        assert await journal.get(command(3).key) is None

    async def test_a_command_is_added_once(self, journal: CommandJournal) -> None:
        first, second, third = command(1), command(2), command(3)
        await journal.add([first, third])
        again = [replace(first, result_link="other"), second, replace(third, result_link="other")]
        assert await journal.add(again) == [first, None, third]
        assert await journal.named([first.key, second.key, third.key]) == [first, second, third]

    async def test_two_kinds_of_one_task_are_two_commands(self, journal: CommandJournal) -> None:
        assert await journal.add([command(1, INITIALIZE), command(1, CLAIM)]) == [None, None]

    async def test_save_replaces_the_stored_form(self, journal: CommandJournal) -> None:
        await journal.add([command(1)])
        changed, new = command(1).processing("0xaa", 5.0), command(2)
        await journal.save([changed, new])
        await journal.save([])
        assert await journal.named([new.key, changed.key]) == [changed, new]
        assert await journal.named([]) == []

    async def test_live_commands_are_those_that_are_not_final(self, journal: CommandJournal) -> None:
        await journal.add([command(number) for number in range(4)])
        await journal.save([command(1).succeeded(9.0), command(2).failed(9.0, "R", "t")])
        await journal.save([command(3).processing("0xaa", 9.0)])
        assert [each.state for each in await journal.live()] == [
            CommandState.RECEIVED,
            CommandState.PROCESSING,
        ]

    async def test_pages_are_newest_first_and_do_not_overlap(self, journal: CommandJournal) -> None:
        # Equal times are ordered by key.
        await journal.add([command(number, at=float(number // 2)) for number in range(6)])
        seen: list[Command] = []
        before = None
        while page := await journal.page(2, before, None, None):
            seen += page
            before = (page[-1].created_at, str(page[-1].key))
        assert [each.task_index for each in seen] == [5, 4, 3, 2, 1, 0]

    async def test_a_page_is_filtered_by_state_and_task(self, journal: CommandJournal) -> None:
        await journal.add([command(1), command(2), command(1, CLAIM)])
        await journal.save([command(2).succeeded(9.0)])
        assert [c.task_index for c in await journal.page(9, None, CommandState.SUCCESS, None)] == [2]
        found = await journal.page(9, None, CommandState.RECEIVED, command(1).key.task_id)
        assert {each.key.kind for each in found} == {INITIALIZE, CLAIM}


class TestEntryJournal(JournalContract):
    @pytest.fixture
    async def reopen(self, database: Database) -> Reopen:
        async def reopen() -> Journal:
            return MongoEntryJournal(database, WALLET)

        return reopen


async def test_wallets_share_a_database_without_sharing_nonces(database: Database) -> None:
    ours, others = (MongoEntryJournal(database, each) for each in (WALLET, OTHER_WALLET))
    other = replace(entry(1), versions=(version(1, 5),))
    await ours.add([entry(1)])
    await others.add([other])
    assert await ours.live() == [entry(1)]
    await others.save([mined(other)])
    assert await ours.ended(0, None) == await ours.last_mined(0.0) == []
    assert await ours.live() == [entry(1)]


Build = Callable[[str, float], WalletLease]


@both
class TestWalletLease:
    @pytest.fixture
    def lease(self, kind: str, request: pytest.FixtureRequest) -> Build:
        """Return a function that gives a process's lease: its id, and the seconds that a take is valid."""
        if kind == "memory":
            leases = MemoryLeases(FakeClock())
            return lambda holder, ttl_s: MemoryWalletLease(leases, WALLET, holder, {"host": holder}, ttl_s)
        database = request.getfixturevalue("database")
        return lambda holder, ttl_s: MongoWalletLease(database, WALLET, holder, {"host": holder}, ttl_s)

    async def test_one_process_holds_the_wallet_and_the_others_learn_which(self, lease: Build) -> None:
        first, second = lease("first", 60), lease("second", 60)
        assert await first.take() is None
        assert await second.take() == {"holder": "first", "host": "first"}
        assert await first.take() is None, "the holder renews"

    async def test_of_many_that_start_at_once_one_holds_the_wallet(self, lease: Build) -> None:
        answers = await asyncio.gather(*(lease(str(number), 60).take() for number in range(8)))
        assert sum(answer is None for answer in answers) == 1

    async def test_an_expired_lease_is_free(self, lease: Build) -> None:
        await lease("first", 0).take()
        assert await lease("second", 60).take() is None

    async def test_a_released_lease_is_free_and_only_its_holder_releases_it(self, lease: Build) -> None:
        first, second = lease("first", 60), lease("second", 60)
        await first.take()
        await second.release()
        assert await second.take() is not None
        await first.release()
        assert await second.take() is None

    async def test_the_lease_of_a_dead_process_is_replaced(self, lease: Build) -> None:
        await lease("dead", 60).take()
        assert await lease("second", 60).take(replacing="another") is not None
        assert await lease("second", 60).take(replacing="dead") is None


async def test_the_first_adapter_binds_a_database_to_its_chain_and_hub(database: Database) -> None:
    hub = WALLET
    assert await bind_origin(database, 134, hub) == (134, hub)
    assert await bind_origin(database, 1, OTHER_WALLET) == (134, hub)


async def test_a_bulk_write_validates_every_document(database: Database) -> None:
    broken = CommandDocument.of(command(2))
    broken.created_at = None
    for write in (insert_new, replace_all):
        with pytest.raises(ValidationError):
            await database.run(write, [CommandDocument.of(command(1)), broken])
    assert await database.run(CommandDocument.objects.count) == 0

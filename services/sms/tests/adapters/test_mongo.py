"""The stores over MongoDB and over memory, and the dump of a database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.mongo.database import Database
from workerpool_kit.settings.base import MongoSettings
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import TaskId
from workerpool_sms.adapters.mongo.documents import MODELS
from workerpool_sms.adapters.mongo.dump import MongoDump
from workerpool_sms.adapters.mongo.sealed_rows import MongoSealedRows
from workerpool_sms.adapters.mongo.stores import MongoChallenges, MongoSecrets, MongoSessions
from workerpool_sms.app.ports import ChallengeStore, SealedRows, SecretStore, SessionStore
from workerpool_sms.domain.challenges import EnclaveChallenge
from workerpool_sms.domain.limits import OwnerPosition
from workerpool_sms.domain.sealed import Sealed
from workerpool_sms.domain.secrets import SecretKind, SecretName
from workerpool_sms.errors import BackupBroken, BackupFailed

from services.sms.tests.doubles.chain import OWNER, REQUESTER, TASK_ID
from services.sms.tests.doubles.stores import MemoryChallenges, MemoryRows, MemorySecrets, MemorySessions

Connect = Callable[[], Awaitable[Database]]
NAME = SecretName.parse(SecretKind.WEB2, REQUESTER.address, "token")
FIRST, SECOND = Sealed("k1", b"key-1", b"content-1"), Sealed("k2", b"key-2", b"content-2")
CHALLENGE = EnclaveChallenge(TASK_ID, REQUESTER.address, FIRST, 100.5, 200)


@dataclass
class Stores:
    """One implementation of every port."""

    secrets: SecretStore
    challenges: ChallengeStore
    sessions: SessionStore
    rows: SealedRows
    database: Database | None = None


@pytest.fixture(params=["mongo", "memory"])
async def stores(request: pytest.FixtureRequest, connect: Connect) -> AsyncIterator[Stores]:
    if request.param == "memory":
        secrets, challenges = MemorySecrets(), MemoryChallenges()
        yield Stores(secrets, challenges, MemorySessions(), MemoryRows(secrets, challenges))
        return
    database = await connect()
    yield Stores(
        MongoSecrets(database),
        MongoChallenges(database),
        MongoSessions(database),
        MongoSealedRows(database),
        database,
    )


@pytest.fixture
async def connect(mongod: Mongod) -> AsyncIterator[Connect]:
    opened: list[Database] = []

    async def connected() -> Database:
        settings = MongoSettings(mongo_uri=SecretStr(mongod.uri), mongo_database=mongod.new_name("sms"))
        opened.append(await Database.connect(settings, models=MODELS))
        return opened[-1]

    yield connected
    for database in opened:
        await database.close()


async def test_a_secret_is_added_once_and_replaced(stores: Stores) -> None:
    store = stores.secrets
    assert (await store.exists(NAME), await store.find(NAME)) == (False, None)
    assert not await store.replace(NAME, FIRST)
    assert await store.add(NAME, FIRST, REQUESTER.address)
    assert not await store.add(NAME, SECOND, REQUESTER.address)
    assert (await store.exists(NAME), await store.find(NAME)) == (True, FIRST)
    assert await store.replace(NAME, SECOND)
    assert await store.find(NAME) == SECOND
    assert await store.counts() == {kind: int(kind is SecretKind.WEB2) for kind in SecretKind}


async def test_the_secrets_of_a_wallet_are_counted_up_to_a_limit(stores: Stores) -> None:
    store, wallet = stores.secrets, REQUESTER.address
    assert await store.owned(wallet, 3) == 0
    for number in range(4):
        name = SecretName.parse(SecretKind.REQUESTER, wallet, f"name-{number}")
        await store.add(name, FIRST, wallet)
        await store.add(name, SECOND, wallet)
    assert (await store.owned(wallet, 3), await store.owned(wallet, 9)) == (3, 4)
    assert await store.owned(OWNER.address, 9) == 0
    assert await store.owned(wallet, 9, {SecretKind.REQUESTER, SecretKind.WEB2}) == 4
    assert await store.owned(wallet, 9, {SecretKind.WEB3}) == 0


async def test_all_secrets_are_counted(stores: Stores) -> None:
    assert await stores.secrets.total() == 0
    for wallet in (REQUESTER.address, OWNER.address):
        name = SecretName.parse(SecretKind.REQUESTER, wallet, "name")
        await stores.secrets.add(name, FIRST, wallet)
    assert await stores.secrets.total() == 2


async def test_wallets_are_listed_by_their_secrets_and_cleared(stores: Stores) -> None:
    store, wallets = stores.secrets, [Wallet.create() for _ in range(3)]
    for number, wallet in enumerate(wallets):
        for key in range(2 if number else 3):
            name = SecretName.parse(SecretKind.WEB2, wallet.address, f"name-{key}")
            await store.add(name, FIRST, wallet.address)
    dataset = SecretName.parse(SecretKind.WEB3, Wallet.create().address)
    await store.add(dataset, SECOND, wallets[0].address)
    expected = [wallets[0].address, *sorted((each.address for each in wallets[1:]), key=str.lower)]

    found = await store.owners(None, 9)
    assert [each.wallet for each in found] == expected
    assert [each.secrets for each in found] == [4, 2, 2]
    assert found[0].kinds == {SecretKind.WEB2: 3, SecretKind.WEB3: 1}
    assert found[0].size > found[1].size > 0
    for place, each in enumerate(found):
        after = OwnerPosition(each.secrets, each.wallet)
        assert [later.wallet for later in await store.owners(after, 1)] == expected[place + 1 : place + 2]

    assert await store.remove(wallets[0].address, {SecretKind.WEB2, SecretKind.REQUESTER}) == 3
    assert await store.exists(dataset)
    assert await store.remove(wallets[0].address, set(SecretKind)) == 1
    assert [each.wallet for each in await store.owners(None, 9)] == expected[1:]


async def test_the_first_challenge_of_a_task_stays(stores: Stores) -> None:
    store = stores.challenges
    assert await store.find(TASK_ID) is None
    assert await store.add(CHALLENGE) == CHALLENGE
    assert await store.add(replace(CHALLENGE, address="0x" + "11" * 20)) == CHALLENGE
    assert (await store.find(TASK_ID), await store.count()) == (CHALLENGE, 1)


async def test_expired_challenges_are_purged_up_to_the_limit(stores: Stores) -> None:
    store = stores.challenges
    deadlines = [150, 200, 201, None]
    for number, deadline in enumerate(deadlines):
        task_id = TaskId(f"0x{number:064x}")
        await store.add(replace(CHALLENGE, task_id=task_id, final_deadline=deadline))
    assert await store.purge(now=200.0, without_deadline_before=100.0, limit=1) == 1
    assert await store.purge(now=200.0, without_deadline_before=100.0, limit=5) == 1
    assert await store.purge(now=200.0, without_deadline_before=100.5, limit=5) == 1
    assert await store.count() == 1


async def test_a_session_is_taken_once_and_expires(stores: Stores) -> None:
    store = stores.sessions
    await store.put("a", FIRST, 200)
    await store.put("b", SECOND, 200)
    await store.put("c", SECOND, 300)
    assert await store.take("a", 199.0) == FIRST
    assert await store.take("a", 199.0) is None
    assert await store.take("b", 200.0) is None
    assert await store.purge(300.0) == 1


async def test_rows_of_other_keys_are_exchanged_once(stores: Stores) -> None:
    await stores.secrets.add(NAME, FIRST, REQUESTER.address)
    await stores.challenges.add(CHALLENGE)
    assert await stores.rows.key_ids() == {"k1": 2}
    found = await stores.rows.not_sealed_with("k2", 10)
    assert {(row, purpose) for row, purpose, _ in found} == {
        (f"secrets/{NAME.id}", NAME.id),
        (f"challenges/{TASK_ID}", f"challenge:{TASK_ID}"),
    }
    assert len(await stores.rows.not_sealed_with("k2", 1)) == 1
    assert await stores.rows.exchange(f"secrets/{NAME.id}", FIRST, SECOND)
    assert not await stores.rows.exchange(f"secrets/{NAME.id}", FIRST, SECOND), "it was changed meanwhile"
    assert await stores.rows.not_sealed_with("k1", 10) == [(f"secrets/{NAME.id}", NAME.id, SECOND)]


async def test_38_a_dump_restores_every_row(connect: Connect, tmp_path: Path) -> None:
    path, database = tmp_path / "backup.dump", await connect()
    secrets, challenges = MongoSecrets(database), MongoChallenges(database)
    names = [replace(NAME, key=f"k{number}") for number in range(1_203)]
    await database.run(
        lambda: database.db["secrets"].insert_many(
            [
                {"_id": name.id, "kind": "web2", "key_id": "k1", "data_key": b"d", "content": b"c"}
                for name in names
            ]
        )
    )
    await challenges.add(CHALLENGE)
    assert await MongoDump(database).write(path) == 1_204
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["backup.dump"]
    await secrets.add(NAME, SECOND, REQUESTER.address)
    await database.run(lambda: database.db["secrets"].delete_one({"_id": names[0].id}))
    assert await MongoDump(database).check(path) == ["k1"]
    assert await MongoDump(database).load(path) == 1_204
    assert not await secrets.exists(NAME)
    assert await secrets.find(names[0]) == Sealed("k1", b"d", b"c")
    assert await challenges.find(TASK_ID) == CHALLENGE
    collections = await database.run(database.db.list_collection_names)
    assert sorted(collections) == ["challenges", "schema", "secrets", "sessions"]
    indexes = await database.run(lambda: sorted(database.db["secrets"].index_information()))
    assert indexes == ["_id_", "key_id_1", "kind_1", "owner_1"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text[:-20],
        lambda text: text.replace("k1", "k9"),
        lambda text: "\n".join(text.split("\n")[:-2]) + "\n",
        lambda text: text.replace("workerpool-sms 1", "workerpool-sms 9"),
        lambda text: "",
        lambda text: "{}\n",
        lambda text: text + text,
        lambda text: "not json\n",
        lambda text: text.replace('"secrets"', '"users"'),
    ],
)
async def test_38_a_damaged_dump_is_refused(
    connect: Connect, tmp_path: Path, edit: Callable[[str], str]
) -> None:
    path, database = tmp_path / "backup.dump", await connect()
    await MongoSecrets(database).add(NAME, FIRST, REQUESTER.address)
    dump = MongoDump(database)
    await dump.write(path)
    text = path.read_text()
    path.write_text(edit(text))
    with pytest.raises(BackupBroken):
        await dump.check(path)
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(BackupBroken):
        await dump.check(path)


async def test_38_a_dump_that_cannot_be_written_or_read_is_named(connect: Connect, tmp_path: Path) -> None:
    dump = MongoDump(await connect())
    with pytest.raises(BackupFailed, match="cannot be written"):
        await dump.write(tmp_path / "absent" / "backup.dump")
    with pytest.raises(BackupFailed, match="cannot be read"):
        await dump.check(tmp_path / "backup.dump")

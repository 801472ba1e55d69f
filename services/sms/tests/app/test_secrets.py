"""Scenario 36: each kind of secret: exists, missing, bad signature, too large, conflict, bad key, cache."""

import asyncio

import pytest
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_sms.app.secrets import ExistenceCache
from workerpool_sms.domain.limits import ROW_BYTES, Limit
from workerpool_sms.domain.secrets import SecretKind, SecretName
from workerpool_sms.errors import (
    ChainUnreachable,
    DepositNeeded,
    NotSignedByOwner,
    SecretExists,
    SecretNotFound,
    SecretTooLarge,
    SmsFull,
    StorageFull,
    TooManySecrets,
)

from services.sms.tests.doubles.chain import APP, DATASET, DEVELOPER, OWNER, REQUESTER
from services.sms.tests.instance import FLOOR_BYTES, MAX_IN_TOTAL, MAX_SECRETS, Instance, signed

KINDS = [
    (SecretKind.WEB3, DATASET, "", DEVELOPER),
    (SecretKind.WEB2, REQUESTER.address, "a-token", REQUESTER),
    (SecretKind.APP_DEVELOPER, APP, "1", DEVELOPER),
    (SecretKind.REQUESTER, REQUESTER.address, "a-secret", REQUESTER),
]
every_kind = pytest.mark.parametrize(
    ("kind", "address", "key", "owner"), KINDS, ids=[each[0] for each in KINDS]
)


@every_kind
async def test_36_a_secret_of_its_owner_exists_and_is_read(
    sms: Instance, kind: SecretKind, address: str, key: str, owner: Wallet
) -> None:
    name = SecretName.parse(kind, address, key)
    assert not await sms.secrets.exists(name)
    with pytest.raises(SecretNotFound):
        await sms.secrets.require(name)
    await sms.push(kind, address, key, " value\n", owner)
    await sms.secrets.require(name)
    assert await sms.secrets.read(name) == "value"


@every_kind
async def test_36_a_bad_signature_stores_nothing(
    sms: Instance, kind: SecretKind, address: str, key: str, owner: Wallet
) -> None:
    name = SecretName.parse(kind, address, key)
    for signature in (signed(name, "value", OWNER), signed(name, "other", owner), b"", bytes(65)):
        with pytest.raises(NotSignedByOwner, match=owner.address):
            await sms.secrets.set(name, "value", signature)
    assert not await sms.secrets.exists(name)
    assert await sms.secrets.read(name) is None


@pytest.mark.parametrize("kind", [SecretKind.WEB2, SecretKind.REQUESTER, SecretKind.WEB3])
async def test_36_a_secret_of_the_zero_address_has_no_signature(sms: Instance, kind: SecretKind) -> None:
    """Nor has that of a contract whose owner has renounced it."""
    sms.chain.owners[DATASET] = ZERO_ADDRESS
    name = (
        SecretName.parse(kind, DATASET, "")
        if kind is SecretKind.WEB3
        else SecretName.parse(kind, ZERO_ADDRESS, "a")
    )
    for signature in (b"", bytes(65), bytes(64), b"x"):
        with pytest.raises(NotSignedByOwner):
            await sms.secrets.set(name, "value", signature)
    assert not await sms.secrets.exists(name)


@every_kind
async def test_36_a_stored_secret_is_a_conflict(
    sms: Instance, kind: SecretKind, address: str, key: str, owner: Wallet
) -> None:
    await sms.push(kind, address, key, "first", owner)
    with pytest.raises(SecretExists):
        await sms.push(kind, address, key, "second", owner)
    if kind is not SecretKind.WEB2:
        with pytest.raises(SecretExists, match="written once"):
            await sms.push(kind, address, key, "second", owner, replace=True)
    assert await sms.secrets.read(SecretName.parse(kind, address, key)) == "first"


@every_kind
async def test_36_the_largest_value_is_stored_and_a_larger_one_refused(
    sms: Instance, kind: SecretKind, address: str, key: str, owner: Wallet
) -> None:
    with pytest.raises(SecretTooLarge):
        await sms.push(kind, address, key, "x" * 4097, owner)
    await sms.push(kind, address, key, "x" * 4096, owner)
    assert await sms.secrets.read(SecretName.parse(kind, address, key)) == "x" * 4096


async def test_36_a_web2_secret_is_replaced_and_an_absent_one_is_not(sms: Instance) -> None:
    owner = REQUESTER.address
    with pytest.raises(SecretNotFound):
        await sms.push(SecretKind.WEB2, owner, "t", "first", REQUESTER, replace=True)
    await sms.push(SecretKind.WEB2, owner, "t", "first", REQUESTER)
    name = SecretName.parse(SecretKind.WEB2, owner, "t")
    before = sms.stored.rows[name]
    await sms.push(SecretKind.WEB2, owner, "t", "first ", REQUESTER, replace=True)
    assert sms.stored.rows[name] is before, "the same value is not written again"
    await sms.push(SecretKind.WEB2, owner, "t", "second", REQUESTER, replace=True)
    assert await sms.secrets.read(name) == "second"


async def test_a_contract_without_owner_and_an_unreachable_chain_are_named(sms: Instance) -> None:
    with pytest.raises(NotSignedByOwner, match="is not a contract with an owner"):
        await sms.push(SecretKind.WEB3, "0x" + "99" * 20, "", "v", DEVELOPER)
    sms.chain.reachable = False
    with pytest.raises(ChainUnreachable):
        await sms.push(SecretKind.WEB3, DATASET, "", "v", DEVELOPER)


async def test_36_only_positive_answers_are_cached_and_for_a_minute(sms: Instance) -> None:
    name = SecretName.parse(SecretKind.REQUESTER, REQUESTER.address, "s")
    for _ in range(2):
        assert not await sms.secrets.exists(name)
    assert sms.stored.reads == 2
    await sms.push(SecretKind.REQUESTER, REQUESTER.address, "s", "v", REQUESTER)
    reads = sms.stored.reads
    assert await sms.secrets.exists(name)
    assert sms.stored.reads == reads
    assert sms.cache.counts() == {"web2": 0, "web3": 0, "compute": 1}
    sms.clock.advance(61)
    assert sms.cache.counts()["compute"] == 0
    assert await sms.secrets.exists(name)
    assert sms.stored.reads == reads + 1


def test_the_cache_is_bounded_and_can_be_cleared() -> None:
    cache = ExistenceCache(most=2)
    names = [SecretName(SecretKind.WEB2, "0x", str(number)) for number in range(3)]
    for name in names:
        cache.add(name)
    assert [cache.has(name) for name in names] == [False, True, True]
    cache.clear()
    assert not any(map(cache.has, names))


async def test_the_value_stands_in_no_log(sms: Instance, capsys: pytest.CaptureFixture[str]) -> None:
    await sms.push(SecretKind.WEB2, REQUESTER.address, "t", "canary-value", REQUESTER)
    with pytest.raises(SecretExists) as refused:
        await sms.push(SecretKind.WEB2, REQUESTER.address, "t", "canary-value", REQUESTER)
    shown = "".join(capsys.readouterr()) + str(refused.value)
    assert "audit.secret_stored" in shown
    assert "canary-value" not in shown


async def test_added_rows_are_counted(sms: Instance) -> None:
    for kind, address, key, owner in KINDS:
        await sms.push(kind, address, key, "v", owner)
    assert sms.metrics.new == {"web3": 1, "web2": 1, "compute": 2}


async def fill(sms: Instance, wallet: Wallet) -> None:
    for number in range(MAX_SECRETS):
        await sms.push(SecretKind.REQUESTER, wallet.address, f"name-{number}", "v", wallet)


async def test_a_wallet_stores_no_more_secrets_than_it_may(
    sms: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(sms, REQUESTER)
    for kind, key in ((SecretKind.REQUESTER, "one-more"), (SecretKind.WEB2, "one-more")):
        with pytest.raises(TooManySecrets, match="WORKERPOOL_SMS_MAX_SECRETS_PER_WALLET") as refused:
            await sms.push(kind, REQUESTER.address, key, "canary-value", REQUESTER)
        assert REQUESTER.address in str(refused.value)
    assert sms.metrics.over_limit == [Limit.WALLET, Limit.WALLET]
    shown = "".join(capsys.readouterr())
    assert "secrets.limit_reached" in shown
    assert "canary-value" not in shown
    with pytest.raises(SecretExists):
        await sms.push(SecretKind.REQUESTER, REQUESTER.address, "name-0", "v", REQUESTER)
    await sms.push(SecretKind.REQUESTER, OWNER.address, "name", "v", OWNER)


async def test_the_secrets_of_a_wallet_s_contracts_count_as_its_own(sms: Instance) -> None:
    await fill(sms, DEVELOPER)
    for kind, address, key in ((SecretKind.WEB3, DATASET, ""), (SecretKind.APP_DEVELOPER, APP, "1")):
        with pytest.raises(TooManySecrets):
            await sms.push(kind, address, key, "v", DEVELOPER)


async def test_a_wallet_at_its_limit_still_replaces_its_secrets(sms: Instance) -> None:
    await sms.push(SecretKind.WEB2, REQUESTER.address, "t", "first", REQUESTER)
    for number in range(MAX_SECRETS - 1):
        await sms.push(SecretKind.WEB2, REQUESTER.address, f"name-{number}", "v", REQUESTER)
    await sms.push(SecretKind.WEB2, REQUESTER.address, "t", "second", REQUESTER, replace=True)
    assert await sms.secrets.read(SecretName.parse(SecretKind.WEB2, REQUESTER.address, "t")) == "second"


async def test_requests_at_once_do_not_pass_the_limit_together(sms: Instance) -> None:
    pushed = [
        sms.push(SecretKind.REQUESTER, REQUESTER.address, f"name-{number}", "v", REQUESTER)
        for number in range(MAX_SECRETS + 3)
    ]
    answers = await asyncio.gather(*pushed, return_exceptions=True)
    assert sum(isinstance(answer, TooManySecrets) for answer in answers) == 3
    assert len(sms.stored.rows) == MAX_SECRETS


async def strangers(sms: Instance, count: int, *, deposit: int = 0) -> list[Wallet]:
    """Store a secret of each of `count` wallets that have `deposit` nRLC in the hub."""
    wallets = [Wallet.from_key(bytes([100 + len(sms.stored.rows) + number]) * 32) for number in range(count)]
    for wallet in wallets:
        sms.chain.deposits[wallet.address] = deposit
        await sms.push(SecretKind.WEB2, wallet.address, "t", "v", wallet)
    return wallets


async def test_all_wallets_together_store_no_more_secrets_than_the_sms_may(
    sms: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, wallet = await strangers(sms, MAX_IN_TOTAL, deposit=1)
    with pytest.raises(SmsFull, match="WORKERPOOL_SMS_MAX_SECRETS") as refused:
        await sms.push(SecretKind.WEB2, REQUESTER.address, "t", "canary-value", REQUESTER)
    assert refused.value.details == {"most": str(MAX_IN_TOTAL)}
    assert sms.metrics.over_limit == [Limit.TOTAL]
    assert "canary-value" not in "".join(capsys.readouterr())
    await sms.push(SecretKind.WEB2, wallet.address, "t", "second", wallet, replace=True)
    assert await sms.secrets.read(SecretName.parse(SecretKind.WEB2, wallet.address, "t")) == "second"


async def test_wallets_at_once_do_not_pass_the_limit_of_all_together(sms: Instance) -> None:
    wallets = [Wallet.from_key(bytes([100 + number]) * 32) for number in range(MAX_IN_TOTAL + 3)]
    sms.chain.deposits = {wallet.address: 1 for wallet in wallets}
    pushed = [sms.push(SecretKind.WEB2, wallet.address, "t", "v", wallet) for wallet in wallets]
    answers = await asyncio.gather(*pushed, return_exceptions=True)
    assert sum(isinstance(answer, SmsFull) for answer in answers) == 3
    assert len(sms.stored.rows) == MAX_IN_TOTAL


async def test_a_stranger_with_many_wallets_leaves_the_reserve_to_those_with_a_deposit(
    sms: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DepositNeeded, match="deposit any amount of RLC") as refused:
        await strangers(sms, MAX_IN_TOTAL)
    assert len(sms.stored.rows) == MAX_IN_TOTAL // 2
    assert sms.metrics.over_limit == [Limit.DEPOSIT]
    assert refused.value.details["wallet"] in str(refused.value)
    assert "secrets.limit_reached" in "".join(capsys.readouterr())
    with pytest.raises(DepositNeeded):
        await sms.push(SecretKind.REQUESTER, REQUESTER.address, "s", "v", REQUESTER)
    sms.chain.deposits[REQUESTER.address] = 1
    await sms.push(SecretKind.REQUESTER, REQUESTER.address, "s", "v", REQUESTER)
    for kind, address, key, owner in KINDS:
        if owner is DEVELOPER:
            await sms.push(kind, address, key, "v", owner)


async def test_a_wallet_with_a_deposit_uses_little_of_the_reserve(sms: Instance) -> None:
    await strangers(sms, MAX_IN_TOTAL // 2)
    sms.chain.deposits = {DEVELOPER.address: 5, REQUESTER.address: 5}
    await sms.push(SecretKind.WEB3, DATASET, "", "v", DEVELOPER)
    await sms.push(SecretKind.WEB2, DEVELOPER.address, "t", "v", DEVELOPER)
    with pytest.raises(TooManySecrets, match="more than half full"):
        await sms.push(SecretKind.REQUESTER, DEVELOPER.address, "s", "v", DEVELOPER)
    assert sms.metrics.over_limit == [Limit.DEPOSIT]
    await sms.push(SecretKind.APP_DEVELOPER, APP, "1", "v", DEVELOPER)
    await sms.push(SecretKind.WEB2, REQUESTER.address, "t", "v", REQUESTER)


async def test_a_deposit_is_read_only_when_the_reserve_is_used(sms: Instance) -> None:
    *_, wallet = await strangers(sms, MAX_IN_TOTAL // 2 - 1)
    sms.chain.reachable = False
    await sms.push(SecretKind.WEB2, REQUESTER.address, "t", "v", REQUESTER)
    with pytest.raises(ChainUnreachable):
        await sms.push(SecretKind.WEB2, OWNER.address, "t", "v", OWNER)
    await sms.push(SecretKind.WEB2, wallet.address, "t", "second", wallet, replace=True)
    with pytest.raises(SecretExists):
        await sms.push(SecretKind.WEB2, wallet.address, "t", "third", wallet)


async def test_a_disk_at_its_floor_takes_no_secret_and_gives_those_it_has(
    sms: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    name = SecretName.parse(SecretKind.WEB2, REQUESTER.address, "t")
    sms.free = FLOOR_BYTES + ROW_BYTES
    await sms.push(name.kind, name.address, name.key, "first", REQUESTER)
    sms.free -= 1
    for key, replace in (("another", False), (name.key, True)):
        with pytest.raises(StorageFull, match=r"1 MiB must stay free.*operator") as refused:
            await sms.push(name.kind, name.address, key, "canary-value", REQUESTER, replace=replace)
        assert refused.value.details == {"free": str(sms.free), "floor": str(FLOOR_BYTES)}
    assert sms.metrics.over_limit == [Limit.DISK, Limit.DISK]
    assert "canary-value" not in "".join(capsys.readouterr())
    await sms.push(name.kind, name.address, name.key, "first", REQUESTER, replace=True)
    assert await sms.secrets.read(name) == "first"
    with pytest.raises(SecretNotFound):
        await sms.push(name.kind, name.address, "absent", "v", REQUESTER, replace=True)
    sms.free = None
    await sms.push(name.kind, name.address, "another", "v", REQUESTER)

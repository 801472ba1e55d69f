"""The operator sees who stored how many secrets, and removes those of one wallet."""

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs
from workerpool_sms.app.secret_owners import MAX_PAGE, SecretOwner
from workerpool_sms.domain.secrets import SecretKind, SecretName
from workerpool_sms.errors import AdminRunning, InvalidRequest, RestoreRunning, SecretNotFound

from services.sms.tests.doubles.chain import APP, DEVELOPER, REQUESTER, WORKER
from services.sms.tests.instance import Instance


async def some_secrets(sms: Instance) -> None:
    """Store three secrets of the requester, two of the developer (one of its app), one of the worker."""
    for key in ("a", "b"):
        await sms.push(SecretKind.WEB2, REQUESTER.address, key, "junk", REQUESTER)
    await sms.push(SecretKind.REQUESTER, REQUESTER.address, "c", "junk", REQUESTER)
    await sms.push(SecretKind.APP_DEVELOPER, APP, "1", "of the app", DEVELOPER)
    await sms.push(SecretKind.WEB2, DEVELOPER.address, "mine", "its own", DEVELOPER)
    await sms.push_token()


async def all_pages(sms: Instance, size: int) -> list[SecretOwner]:
    found, token = [], ""
    while True:
        page, token = await sms.owners.page(token, size)
        assert 0 < len(page) <= size
        found += page
        if not token:
            return found


def summary(owners: Sequence[SecretOwner]) -> list[tuple[str, int, int | None]]:
    return [(each.stored.wallet, each.stored.secrets, each.deposit) for each in owners]


@pytest.mark.parametrize("size", [1, 2, 3, MAX_PAGE])
async def test_wallets_are_listed_with_number_size_kinds_and_deposit(sms: Instance, size: int) -> None:
    await some_secrets(sms)
    sms.chain.deposits = {DEVELOPER.address: 7}
    found = await all_pages(sms, size)
    assert summary(found) == [
        (REQUESTER.address, 3, 0),
        (DEVELOPER.address, 2, 7),
        (WORKER.address, 1, 0),
    ]
    assert found[0].stored.kinds == {SecretKind.WEB2: 2, SecretKind.REQUESTER: 1}
    assert all(each.stored.size > 0 for each in found)


async def test_wallets_are_listed_while_the_chain_is_away(sms: Instance) -> None:
    await some_secrets(sms)
    sms.chain.reachable = False
    assert [each.deposit for each in await all_pages(sms, MAX_PAGE)] == [None] * 3


@pytest.mark.parametrize("size", [0, -1, MAX_PAGE + 1])
async def test_the_size_of_a_page_is_limited(sms: Instance, size: int) -> None:
    with pytest.raises(InvalidRequest, match="pageSize"):
        await sms.owners.page("", size)


@pytest.mark.parametrize("token", ["x", "W10=", "WzEsMl0=", "WyJhIiwiYiJd", "WzEsIjB4MDEiXQ==", "é"])
async def test_a_foreign_token_is_refused(sms: Instance, token: str) -> None:
    with pytest.raises(InvalidRequest, match="pageToken"):
        await sms.owners.page(token, 1)


async def test_the_secrets_of_one_wallet_are_removed(sms: Instance) -> None:
    await some_secrets(sms)
    junk = SecretName.parse(SecretKind.WEB2, REQUESTER.address, "a")
    assert await sms.secrets.exists(junk), "the answer is cached"
    with capture_logs() as logs:
        assert await sms.owners.remove(REQUESTER.address.lower(), contracts=False) == 3
    (line,) = [line for line in logs if line["event"] == "audit.secrets_removed"]
    assert (line["wallet"], line["removed"]) == (REQUESTER.address, 3)
    with pytest.raises(SecretNotFound):
        await sms.secrets.require(junk)
    assert summary(await all_pages(sms, 5)) == [(DEVELOPER.address, 2, 0), (WORKER.address, 1, 0)]
    assert await sms.owners.remove(REQUESTER.address, contracts=True) == 0
    await sms.push(SecretKind.WEB2, REQUESTER.address, "a", "again", REQUESTER)


@pytest.mark.parametrize(("contracts", "removed"), [(False, 1), (True, 2)])
async def test_secrets_of_datasets_and_apps_stay_unless_named(
    sms: Instance, contracts: bool, removed: int
) -> None:
    await some_secrets(sms)
    assert await sms.owners.remove(DEVELOPER.address, contracts=contracts) == removed
    assert await sms.secrets.exists(SecretName.parse(SecretKind.APP_DEVELOPER, APP, "1")) is not contracts


@pytest.mark.parametrize("wallet", ["", "0x12", "no wallet", REQUESTER.address + "0"])
async def test_what_is_not_a_wallet_removes_nothing(sms: Instance, wallet: str) -> None:
    await some_secrets(sms)
    with pytest.raises(InvalidRequest, match="wallet"):
        await sms.owners.remove(wallet, contracts=True)
    assert len(sms.stored.rows) == 6


async def test_a_removal_and_other_admin_methods_exclude_each_other(sms: Instance) -> None:
    async with sms.gate.admin("a backup"):
        with pytest.raises(AdminRunning):
            await sms.owners.remove(REQUESTER.address, contracts=False)
        assert await sms.owners.page("", 1) == ([], "")
    async with sms.gate.admin("a restore", restores=True):
        for call in (sms.owners.page("", 1), sms.owners.remove(REQUESTER.address, contracts=False)):
            with pytest.raises(RestoreRunning):
                await call

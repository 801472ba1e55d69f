"""Scenario 38: backup and restore: one at a time, nothing else meanwhile, never without keys."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr
from workerpool_sms.adapters.backup_folder import BackupFolder
from workerpool_sms.app.backups import AdminAccess, Backups
from workerpool_sms.domain.secrets import SecretKind, SecretName
from workerpool_sms.errors import (
    AdminDisabled,
    AdminKeyRefused,
    AdminRunning,
    BackupBroken,
    BackupNotFound,
    RestoreRunning,
)

from services.sms.tests.doubles.chain import OWNER, REQUESTER
from services.sms.tests.instance import Instance

NAME = SecretName.parse(SecretKind.REQUESTER, REQUESTER.address, "s")
ROOT = ""


class SlowDump:
    """A `Dump` that ends when the test says so."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self.started, self.go_on = asyncio.Event(), asyncio.Event()
        self.keys = keys
        self.loaded = 0

    async def write(self, path: Path) -> int:
        """Write a file; see `Dump`."""
        self.started.set()
        await self.go_on.wait()
        path.write_text("dump")
        return 1

    async def check(self, path: Path) -> Sequence[str]:
        """Return the keys of a file; see `Dump`."""
        return self.keys

    async def load(self, path: Path) -> int:
        """Replace the content; see `Dump`."""
        self.started.set()
        await self.go_on.wait()
        self.loaded += 1
        return 1


def backups(sms: Instance, dump: SlowDump) -> Backups:
    return Backups(dump, BackupFolder(sms.folder), sms.keys, sms.gate, sms.cache)


def test_38_the_api_key_is_checked() -> None:
    with pytest.raises(AdminDisabled, match="IEXEC_SMS_ADMIN_API_KEY"):
        AdminAccess(None).check("anything")
    access = AdminAccess(SecretStr("right"))
    access.check("right")
    for wrong in ("", "wrong", "rights", "é"):
        with pytest.raises(AdminKeyRefused):
            access.check(wrong)


async def test_38_a_second_admin_method_is_refused_while_one_runs(sms: Instance) -> None:
    dump = SlowDump()
    dumped = backups(sms, dump)
    first = asyncio.create_task(dumped.create())
    await dump.started.wait()
    with pytest.raises(AdminRunning, match="a backup is running"):
        await dumped.create()
    assert not await sms.secrets.exists(NAME), "a backup disturbs nothing"
    dump.go_on.set()
    assert await first == 1
    assert (sms.folder / "backup.dump.key").stat().st_mode & 0o777 == 0o600
    assert await dumped.create() == 1


async def test_38_everything_waits_for_a_restore(sms: Instance) -> None:
    dump = SlowDump()
    (sms.folder / "backup.dump").write_text("dump")
    await sms.push(SecretKind.REQUESTER, REQUESTER.address, "s", "v", REQUESTER)
    shown = await sms.authorization(enclave_challenge=OWNER.address)
    restoring = asyncio.create_task(backups(sms, dump).restore(ROOT, "backup.dump"))
    await dump.started.wait()
    for call in (
        sms.secrets.exists(NAME),
        sms.challenge(),
        sms.session(shown),
        sms.unattested.claim("x"),
        backups(sms, dump).create(),
        backups(sms, dump).restore(ROOT, "backup.dump"),
    ):
        with pytest.raises(RestoreRunning):
            await call
    dump.go_on.set()
    assert await restoring == 1
    assert not sms.cache.has(NAME), "answers of the old content are forgotten"
    assert await sms.secrets.exists(NAME)


async def test_a_restore_waits_for_the_calls_in_flight(sms: Instance) -> None:
    dump = SlowDump()
    dump.go_on.set()
    (sms.folder / "backup.dump").write_text("dump")
    with sms.gate.use():
        restoring = asyncio.create_task(backups(sms, dump).restore(ROOT, "backup.dump"))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not dump.started.is_set()
    assert await restoring == 1


async def test_38_a_missing_backup_or_key_replaces_nothing(sms: Instance) -> None:
    dump = SlowDump(["20200101-lost"])
    dump.go_on.set()
    with pytest.raises(BackupNotFound):
        await backups(sms, dump).restore(ROOT, "backup.dump")
    (sms.folder / "backup.dump").write_text("dump")
    with pytest.raises(BackupBroken, match="needs the keys 20200101-lost"):
        await backups(sms, dump).restore(ROOT, "backup.dump")
    assert dump.loaded == 0
    await sms.secrets.exists(NAME)


async def test_38_copies_and_deletions(sms: Instance) -> None:
    dump = SlowDump()
    dump.go_on.set()
    dumped = backups(sms, dump)
    inner = sms.folder / "inner"
    inner.mkdir()
    storage = str(inner).encode().hex()
    await dumped.create()
    await dumped.replicate(storage, "one.dump")
    await dumped.copy(storage, "one.dump", storage, "two.dump")
    assert sorted(path.name for path in inner.iterdir()) == [
        "one.dump",
        "one.dump.key",
        "two.dump",
        "two.dump.key",
    ]
    await dumped.delete(storage, "one.dump")
    assert sorted(path.name for path in inner.iterdir()) == ["two.dump", "two.dump.key"]
    with pytest.raises(BackupNotFound):
        await dumped.delete(storage, "one.dump")

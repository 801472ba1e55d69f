"""Backup and restore of the database (worker spec D, admin)."""

import asyncio
import hmac

from pydantic import SecretStr
from workerpool_kit.logs import get_logger

from workerpool_sms.app.gate import Gate
from workerpool_sms.app.ports import BackupFiles, Dump, KeyFiles
from workerpool_sms.app.secrets import ExistenceCache
from workerpool_sms.domain.backups import BACKUP_NAME
from workerpool_sms.errors import AdminDisabled, AdminKeyRefused, BackupBroken

log = get_logger()


class AdminAccess:
    """The check of the admin methods' API key."""

    def __init__(self, api_key: SecretStr | None) -> None:
        self._api_key = api_key

    def check(self, given: str) -> None:
        """Raise AdminDisabled when no key is configured, AdminKeyRefused for a wrong one."""
        if self._api_key is None:
            raise AdminDisabled("the admin methods are disabled; set IEXEC_SMS_ADMIN_API_KEY to enable them")
        # In constant time, so that the duration does not reveal how many characters match.
        if not hmac.compare_digest(given.encode(), self._api_key.get_secret_value().encode()):
            raise AdminKeyRefused(
                "the header X-API-KEY is missing or wrong; send IEXEC_SMS_ADMIN_API_KEY in it"
            )


class Backups:
    """Backups of the database with their keys; one method runs at a time."""

    def __init__(
        self, dump: Dump, files: BackupFiles, keys: KeyFiles, gate: Gate, cache: ExistenceCache
    ) -> None:
        self._dump = dump
        self._files = files
        self._keys = keys
        self._gate = gate
        self._cache = cache

    async def create(self) -> int:
        """Write the newest backup and its keys into the admin storage; return the number of rows."""
        async with self._gate.admin("a backup"):
            path = await asyncio.to_thread(self._files.newest)
            rows = await self._dump.write(path)
            await asyncio.to_thread(self._files.save_keys, path, self._keys.save_to)
            log.info("audit.backup_created", file=str(path), rows=rows)
            return rows

    async def replicate(self, storage: str, name: str) -> None:
        """Copy the newest backup and its keys into a storage."""
        async with self._gate.admin("the copy of a backup"):
            copied = await asyncio.to_thread(self._files.copy, "", BACKUP_NAME, storage, name)
            log.info("audit.backup_replicated", file=str(copied))

    async def copy(self, source: str, source_name: str, target: str, target_name: str) -> None:
        """Copy a backup and its keys from one storage to another."""
        async with self._gate.admin("the copy of a backup"):
            copied = await asyncio.to_thread(self._files.copy, source, source_name, target, target_name)
            log.info("audit.backup_copied", file=str(copied))

    async def delete(self, storage: str, name: str) -> None:
        """Delete a backup and its keys."""
        async with self._gate.admin("the deletion of a backup"):
            deleted = await asyncio.to_thread(self._files.delete, storage, name)
            log.info("audit.backup_deleted", file=str(deleted))

    async def restore(self, storage: str, name: str) -> int:
        """Replace the content of the database by a backup; return the number of rows.

        All other calls are refused meanwhile. The keys of the backup are added to the key file first, so that a failure
        leaves no value without its key.
        """
        async with self._gate.admin("a restore", restores=True):
            path, key_path = await asyncio.to_thread(self._files.existing, storage, name)
            needed = set(await self._dump.check(path))
            available = {*self._keys.key_ids(), *await asyncio.to_thread(self._keys.ids_in, key_path)}
            if missing := sorted(needed - available):
                raise BackupBroken(
                    f"the backup needs the keys {', '.join(missing)}, which neither {key_path.name} nor the key file "
                    "of this SMS contains; put the key file of that time beside the backup"
                )
            await asyncio.to_thread(self._keys.merge, key_path)
            rows = await self._dump.load(path)
            self._cache.clear()
            log.info("audit.backup_restored", file=str(path), rows=rows)
            return rows

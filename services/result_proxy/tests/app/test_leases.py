"""The files of dead processes are removed at the start, once the stores answer."""

import asyncio

from patience import PATIENCE_S
from workerpool_kit.clock import FakeClock
from workerpool_kit.errors import DatabaseUnavailable
from workerpool_result_proxy.app.leases import Leases, keep_tidy
from workerpool_result_proxy.domain.results import GRIDFS, OrphanedFile

from services.result_proxy.tests.doubles.store import MemoryArchives, MemoryStore


class AwayStore(MemoryStore):
    """A store that answers from the third question about orphans on."""

    asked = 0

    async def claim_orphans(self, dead: object = ()) -> list[OrphanedFile]:
        self.asked += 1
        if self.asked < 3:
            raise DatabaseUnavailable("the database does not answer; retry in a moment")
        return await super().claim_orphans(dead)  # type: ignore[arg-type]


async def test_an_outage_postpones_the_removal_of_the_files_of_dead_processes() -> None:
    former, archives = MemoryStore(owner="dead"), MemoryArchives()
    await former.announce("f" * 24, GRIDFS)
    archives.files["f" * 24] = b"half an archive"
    store = AwayStore(owner="alive", beside=former)

    async def purge_partials() -> None: ...

    tidying = asyncio.create_task(
        keep_tidy(
            Leases(store, {GRIDFS: archives}),
            store,
            purge_partials,
            FakeClock(),
            dead=["dead"],
            retention_s=None,
            every_s=0.001,
        )
    )
    async with asyncio.timeout(PATIENCE_S):
        while archives.files:
            await asyncio.sleep(0.001)
    tidying.cancel()
    assert (store.asked, store.leased()) == (3, [])

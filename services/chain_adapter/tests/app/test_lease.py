"""One adapter per wallet: which process gets the lease, and when the other one gives up."""

from collections.abc import Mapping
from typing import Any

import pytest
from workerpool_chain_adapter.adapters.linux_processes import LinuxProcesses
from workerpool_chain_adapter.app.lease import LEASE_S, Lease
from workerpool_chain_adapter.errors import LeaseLost, WalletInUse
from workerpool_kit.clock import FakeClock
from workerpool_kit.errors import DatabaseUnavailable

from services.chain_adapter.tests.doubles.journals import MemoryLeases, MemoryWalletLease

WALLET = "0x" + "11" * 20


class Processes:
    """A `ProcessTable` that answers what the test says."""

    def __init__(self, alive: bool | None) -> None:
        self.alive = alive

    def describe(self) -> Mapping[str, Any]:
        return {"host": "here", "pid": 7}

    def is_alive(self, place: Mapping[str, Any]) -> bool | None:
        assert place["pid"] == 7
        return self.alive


class World:
    """Leases in one database. Waiting takes no time: it moves the clock and lets the `renewing` processes renew."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.renewing: list[MemoryWalletLease] = []
        self._leases = MemoryLeases(self.clock)

    def lease(self, holder: str, alive: bool | None = None) -> Lease:
        processes = Processes(alive)
        return Lease(self.stored(holder), processes, WALLET, monotonic=self.clock.now, sleep=self._sleep)

    def stored(self, holder: str) -> MemoryWalletLease:
        return MemoryWalletLease(self._leases, WALLET, holder, Processes(None).describe(), LEASE_S)

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for each in self.renewing:
            await each.take()


@pytest.fixture
def world() -> World:
    return World()


async def test_a_free_wallet_is_taken(world: World) -> None:
    await world.lease("first").acquire()


async def test_an_adapter_that_is_alive_on_this_host_is_reported_at_once(world: World) -> None:
    await world.lease("first").acquire()
    before = world.clock.now()
    with pytest.raises(WalletInUse, match="process 7 on here"):
        await world.lease("second", alive=True).acquire()
    assert world.clock.now() == before


async def test_a_dead_process_on_this_host_is_replaced_at_once(world: World) -> None:
    await world.lease("dead").acquire()
    before = world.clock.now()
    await world.lease("second", alive=False).acquire()
    assert world.clock.now() == before


async def test_the_lease_of_another_host_is_waited_for_until_it_expires(world: World) -> None:
    await world.lease("elsewhere").acquire()
    before = world.clock.now()
    await world.lease("second", alive=None).acquire()
    assert LEASE_S <= world.clock.now() - before <= LEASE_S + 1


async def test_an_adapter_on_another_host_that_renews_is_reported(world: World) -> None:
    await world.lease("elsewhere").acquire()
    world.renewing.append(world.stored("elsewhere"))
    before = world.clock.now()
    with pytest.raises(WalletInUse, match="process 7 on here"):
        await world.lease("second", alive=None).acquire()
    assert LEASE_S < world.clock.now() - before < 2 * LEASE_S


async def test_a_held_lease_is_renewed_before_it_expires(world: World) -> None:
    first = world.lease("first")
    await first.acquire()

    class Enough(Exception):
        pass

    class Impatient:
        """Stops the loop after a minute, and tries to take the wallet all along."""

        async def take(self) -> None:
            assert await world.stored("second").take() is not None
            if world.clock.now() - start > 60:
                raise Enough

    start = world.clock.now()
    impatient: Any = Impatient()
    world.renewing.append(impatient)
    with pytest.raises(Enough):
        await first.keep()


async def test_an_adapter_whose_lease_was_taken_over_stops(world: World) -> None:
    first = world.lease("first")
    await first.acquire()
    await world.lease("second", alive=False).acquire()
    with pytest.raises(LeaseLost, match="took over the wallet"):
        await first.keep()


async def test_a_released_wallet_is_free_at_once(world: World) -> None:
    first = world.lease("first")
    await first.acquire()
    await first.release()
    await world.lease("second", alive=True).acquire()


class TestLinuxProcesses:
    def test_this_process_is_alive(self) -> None:
        processes = LinuxProcesses()
        assert processes.is_alive(processes.describe()) is True

    def test_another_process_with_this_id_is_not_the_described_one(self) -> None:
        processes = LinuxProcesses()
        assert processes.is_alive({**processes.describe(), "started": "1"}) is False

    @pytest.mark.parametrize("part", ["host", "kernel", "started"])
    def test_what_cannot_be_seen_from_here_is_unknown(self, part: str) -> None:
        processes = LinuxProcesses()
        assert processes.is_alive({**processes.describe(), part: ""}) is None


async def test_an_outage_at_the_end_leaves_the_lease_to_expire(world: World) -> None:
    stored = world.stored("first")
    lease = Lease(stored, Processes(None), WALLET, monotonic=world.clock.now)
    await lease.acquire()
    stored.outage = DatabaseUnavailable("the database does not answer; retry in a moment")
    await lease.release()
    with pytest.raises(WalletInUse):
        await world.lease("second", alive=True).acquire()
    world.clock.advance(LEASE_S + 1)
    await world.lease("second", alive=True).acquire()

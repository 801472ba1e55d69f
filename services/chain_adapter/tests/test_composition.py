"""The wiring that no other test starts."""

from typing import Any

from workerpool_chain_adapter.app.lease import Lease
from workerpool_chain_adapter.composition import wallet_lease


def test_each_process_has_a_holder_of_its_own() -> None:
    database: Any = None
    first, second = wallet_lease(database, "0x1"), wallet_lease(database, "0x1")
    assert isinstance(first, Lease)
    holders: list[Any] = [first._lease, second._lease]
    assert holders[0]._holder != holders[1]._holder
    assert {"host", "pid", "kernel", "started"} <= set(holders[0]._where)

"""The message of the supply carries each count under its own name."""

from workerpool_core.api.supply_messages import supply_message
from workerpool_core.app.queries.supply_view import SupplyAtBlock
from workerpool_core.domain.dispatch.hardware import Capability
from workerpool_core.domain.dispatch.pool_supply import PoolSupply, WorkerGroup


def test_each_count_has_its_field() -> None:
    groups = (WorkerGroup(Capability(sgx=False, tdx=True, gpu=False), 3, 2),)
    message = supply_message(SupplyAtBlock(PoolSupply(groups, 4, 9, 1, 2, 5, 6, accepts_work=True), 77))
    assert (message.cursor_block, message.accepts_work, message.free_slots) == (77, True, 4)
    assert (message.live_workers, message.total_slots, message.gpu_slots) == (4, 9, 1)
    assert (message.pending_slots, message.drained_workers, message.quarantined_workers) == (2, 5, 6)
    (group,) = message.groups
    assert (group.free_slots, group.workers, group.tdx, group.sgx, group.gpu) == (3, 2, True, False, False)

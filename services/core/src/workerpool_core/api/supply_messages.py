"""The message of the pool's supply."""

from workerpool_protocol.core.v1 import pool_service_pb2 as pb

from workerpool_core.app.queries.supply_view import SupplyAtBlock


def supply_message(found: SupplyAtBlock) -> pb.Supply:
    """Return the supply as a message for the order publisher."""
    supply = found.supply
    return pb.Supply(
        cursor_block=found.cursor,
        accepts_work=supply.accepts_work,
        free_slots=supply.free_slots,
        total_slots=supply.total_slots,
        gpu_slots=supply.gpu_slots,
        pending_slots=supply.pending_slots,
        live_workers=supply.live_workers,
        drained_workers=supply.drained_workers,
        quarantined_workers=supply.quarantined_workers,
        groups=[
            pb.SupplyGroup(
                free_slots=group.free_slots,
                workers=group.workers,
                gpu=group.capability.gpu,
                sgx=group.capability.sgx,
                tdx=group.capability.tdx,
            )
            for group in supply.groups
        ],
    )

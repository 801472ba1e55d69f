"""Messages as plain documents."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from poolctl.adapters.plain import plain
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as adapter
from workerpool_protocol.core.v1 import pool_service_pb2 as pool
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1 import task_pb2 as tasks


def test_enums_lose_the_prefix_of_their_type() -> None:
    document = plain(
        tasks.ReplicateStatusChange(
            status=statuses.REPLICATE_STATUS_APP_DOWNLOAD_FAILED,
            cause=statuses.REPLICATE_STATUS_CAUSE_APP_IMAGE_DOWNLOAD_FAILED,
            modifier=statuses.MODIFIER_WORKER,
        )
    )
    assert document["status"] == "APP_DOWNLOAD_FAILED"
    assert document["cause"] == "APP_IMAGE_DOWNLOAD_FAILED"
    assert document["modifier"] == "WORKER"
    assert document["fault"] == ""


def test_an_enum_value_of_a_newer_service_is_its_number() -> None:
    assert plain(tasks.Task(status=99))["status"] == "99"  # type: ignore[arg-type]


def test_times_are_iso_8601_and_durations_seconds() -> None:
    document = plain(pool.Worker(last_seen_at=Timestamp(seconds=60, nanos=500_000_000)))
    assert document["last_seen_at"] == "1970-01-01T00:01:00.500Z"
    assert document["drained_until"] is None
    wallet = plain(adapter.GetWalletResponse(oldest_unmined=Duration(seconds=1, nanos=250_000_000)))
    assert wallet["oldest_unmined"] == 1.25


def test_a_time_beyond_the_calendar_is_none() -> None:
    assert plain(pool.Worker(last_seen_at=Timestamp(seconds=2**60)))["last_seen_at"] is None


def test_optional_numbers_distinguish_absent_from_zero() -> None:
    assert plain(adapter.GetWalletResponse())["transactions_left"] is None
    assert plain(adapter.GetWalletResponse(transactions_left=0))["transactions_left"] == 0


def test_maps_and_lists_are_kept() -> None:
    answer = pool.GetPoolStatusResponse(tasks_by_status={"RUNNING": 2, "COMPLETED": 2**60})
    assert plain(answer)["tasks_by_status"] == {"COMPLETED": 2**60, "RUNNING": 2}
    task = plain(tasks.Task(replicates=[tasks.Replicate(wallet_address="0x1")]))
    assert task["replicates"][0]["wallet_address"] == "0x1"

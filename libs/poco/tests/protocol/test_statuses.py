from workerpool_poco.protocol import statuses
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus


def test_the_protocol_has_21_task_and_33_replicate_statuses_in_its_order() -> None:
    assert len(TaskStatus) == 21
    assert len(ReplicateStatus) == 33
    assert (TaskStatus.RECEIVED.order, TaskStatus.FAILED.order) == (0, 20)
    assert (ReplicateStatus.CREATED.order, ReplicateStatus.WORKER_LOST.order) == (0, 32)
    assert TaskStatus.CONSENSUS_REACHED.order < TaskStatus.FINALIZING.order


def test_chain_statuses_have_the_contract_numbers() -> None:
    assert [item.name for item in statuses.ChainTaskStatus] == [
        "UNSET",
        "ACTIVE",
        "REVEALING",
        "COMPLETED",
        "FAILED",
    ]
    assert [item.name for item in statuses.ContributionStatus] == [
        "UNSET",
        "CONTRIBUTED",
        "PROVED",
        "REJECTED",
    ]


def test_every_status_is_set_by_worker_or_scheduler_and_not_by_both() -> None:
    assert not statuses.WORKER_REPLICATE_STATUSES & statuses.SCHEDULER_REPLICATE_STATUSES
    assert set(ReplicateStatus) == statuses.WORKER_REPLICATE_STATUSES | statuses.SCHEDULER_REPLICATE_STATUSES
    assert ReplicateStatus.COMPUTED in statuses.WORKER_REPLICATE_STATUSES


def test_a_failed_start_does_not_make_a_task_run_but_a_failed_download_does() -> None:
    assert ReplicateStatus.START_FAILED not in statuses.RUNNING_REPLICATE_STATUSES
    assert ReplicateStatus.APP_DOWNLOAD_FAILED in statuses.RUNNING_REPLICATE_STATUSES
    assert ReplicateStatus.APP_DOWNLOAD_FAILED not in statuses.DEAD_END_REPLICATE_STATUSES


def test_causes_are_spelled_like_their_names_and_counted() -> None:
    assert all(cause.name == cause.value for cause in ReplicateStatusCause)
    prefixes = ("TEE_SESSION_GENERATION_", "PRE_COMPUTE_", "POST_COMPUTE_")
    counts = [sum(cause.startswith(prefix) for cause in ReplicateStatusCause) for prefix in prefixes]
    assert counts == [23, 25, 20]
    assert len(ReplicateStatusCause) == 101 + 13  # the protocol's and those of this pool

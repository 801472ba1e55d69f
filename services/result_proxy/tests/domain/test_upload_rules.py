"""What the chain must show before an upload is accepted."""

from typing import Any

import pytest
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_poco.protocol.model import ChainTask, Contribution, Deal, Resource
from workerpool_poco.protocol.results import result_hash
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus
from workerpool_poco.protocol.tags import TeeFramework, make_tag
from workerpool_result_proxy import errors
from workerpool_result_proxy.domain.upload_rules import (
    Readiness,
    check_digest,
    check_kind,
    check_size,
    not_ready,
    readiness,
)

TASK_ID, DIGEST = TaskId("0x" + "01" * 32), bytes([2] * 32)
DEAL_ID = DealId("0x" + "02" * 32)
ANOTHER = "0x" + "33" * 20


def task(status: ChainTaskStatus) -> ChainTask:
    return ChainTask(TASK_ID, status, DEAL_ID, 0, 1, 1, 1, 1, bytes(32), 0, 0, (), bytes(32), b"", 0, b"")


def contribution(status: ContributionStatus) -> Contribution:
    return Contribution(status, result_hash(TASK_ID, DIGEST), bytes(32), ZERO_ADDRESS, 0)


def deal(*, tag: bytes = bytes(32), callback: str = ZERO_ADDRESS) -> Deal:
    what = Resource(ANOTHER, ANOTHER, 0)
    return Deal(DEAL_ID, what, what, what, 1, 0, tag, ANOTHER, ANOTHER, callback, "", 1, 0, 1, 0, 0, ANOTHER)


T, C = ChainTaskStatus, ContributionStatus


@pytest.mark.parametrize("task_status", T)
@pytest.mark.parametrize("contribution_status", C)
def test_every_pair_of_statuses(task_status: Any, contribution_status: Any) -> None:
    """Only a revealed contribution to a revealing task may upload; a state that a late node shows is waited for."""
    may_wait = {(T.REVEALING, C.CONTRIBUTED)} | {(status, c) for status in (T.UNSET, T.ACTIVE) for c in C}
    pair = (task_status, contribution_status)
    if pair == (T.REVEALING, C.PROVED):
        assert readiness(task(task_status), contribution(contribution_status)) is Readiness.READY
    elif pair in may_wait:
        assert readiness(task(task_status), contribution(contribution_status)) is Readiness.NOT_YET
    else:
        refusal = errors.NotRevealed if task_status is T.REVEALING else errors.TaskNotRevealing
        with pytest.raises(refusal):
            readiness(task(task_status), contribution(contribution_status))


def test_the_refusal_after_the_wait_names_what_is_missing() -> None:
    assert isinstance(not_ready(task(T.ACTIVE), contribution(C.CONTRIBUTED)), errors.TaskNotRevealing)
    assert isinstance(not_ready(task(T.REVEALING), contribution(C.CONTRIBUTED)), errors.NotRevealed)


def test_the_digest_must_be_the_uploaders_own() -> None:
    check_digest(TASK_ID, DIGEST, contribution(C.PROVED), what="the archive")
    with pytest.raises(errors.ResultHashMismatch, match="the archive"):
        check_digest(TASK_ID, DIGEST[:-1] + b"\0", contribution(C.PROVED), what="the archive")


def test_results_of_tee_and_callback_tasks_are_refused() -> None:
    check_kind(deal())
    with pytest.raises(errors.TeeNotSupported):
        check_kind(deal(tag=make_tag(framework=TeeFramework.TDX)))
    with pytest.raises(errors.CallbackTask):
        check_kind(deal(callback=ANOTHER))


def test_the_declared_size_is_limited() -> None:
    check_size(10, 10)
    with pytest.raises(errors.ArchiveTooLarge) as refusal:
        check_size(11, 10)
    assert refusal.value.details == {"max_size": "10", "size": "11"}

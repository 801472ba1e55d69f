"""Every value of the scheduler's enums has one number in the protocol, and back."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import pytest
from workerpool_core.api import protocol_enums as enums
from workerpool_core.domain.decisions import UpdateOutcome
from workerpool_core.domain.model import Action, Modifier
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus

UNSPECIFIED = 0


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (enums.TASK_STATUS, TaskStatus),
        (enums.REPLICATE_STATUS, ReplicateStatus),
        (enums.MODIFIER, Modifier),
        (enums.ACTION, Action),
        (enums.UPDATE_OUTCOME, UpdateOutcome),
    ],
)
def test_a_table_gives_each_value_a_number_of_its_own(table: Mapping[Any, int], kind: type[Enum]) -> None:
    assert set(table) == set(kind)
    assert len(set(table.values())) == len(table)
    assert UNSPECIFIED not in table.values()


def test_no_cause_is_the_unspecified_cause() -> None:
    assert enums.CAUSE[None] == UNSPECIFIED
    assert set(enums.CAUSE) == {None, *ReplicateStatusCause}


def test_what_a_worker_sends_is_read_back() -> None:
    assert {enums.TASK_STATUS_OF[number] for number in enums.TASK_STATUS.values()} == set(TaskStatus)
    assert {enums.REPLICATE_STATUS_OF[n] for n in enums.REPLICATE_STATUS.values()} == set(ReplicateStatus)
    assert {number: cause for cause, number in enums.CAUSE.items()} == enums.CAUSE_OF

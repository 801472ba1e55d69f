"""Names of statuses, and values of a newer pool."""

import pytest
from workerpool_client import names
from workerpool_protocol.core.v1 import reason_pb2, statuses_pb2


def test_names_have_the_protocols_spelling() -> None:
    assert names.task_status_name(statuses_pb2.TASK_STATUS_COMPLETED) == "COMPLETED"
    assert names.replicate_status_name(statuses_pb2.REPLICATE_STATUS_CONTRIBUTED) == "CONTRIBUTED"
    assert names.cause_name(statuses_pb2.REPLICATE_STATUS_CAUSE_TRUST_NOT_1) == "TRUST_NOT_1"
    assert names.fault_name(statuses_pb2.FAULT_APP) == "APP"
    assert names.reason_name(reason_pb2.REASON_CODE_NO_FREE_SLOT) == "NO_FREE_SLOT"


def test_an_unset_cause_or_side_has_no_name() -> None:
    assert (names.cause_name(0), names.fault_name(0)) == ("", "")


@pytest.mark.parametrize("name", [names.task_status_name, names.replicate_status_name, names.reason_name])
def test_a_value_that_this_package_does_not_know_is_its_number(name: object) -> None:
    assert callable(name)
    assert name(9_999) == "9999"

"""The table of blame: a row for every cause, and what follows from a row."""

import pytest
from workerpool_core.domain import blame
from workerpool_core.domain.blame import BLAME, Counting, Treatment
from workerpool_poco.protocol.causes import ReplicateStatusCause, Side

C = ReplicateStatusCause


@pytest.mark.parametrize("cause", [None, *C])
def test_each_cause_has_a_row(cause: C | None) -> None:
    assert cause in BLAME


def test_the_table_has_no_other_rows() -> None:
    assert set(BLAME) == {None, *C}


@pytest.mark.parametrize("cause", [None, *C])
def test_only_a_failure_on_the_side_of_the_worker_counts(cause: C | None) -> None:
    row = BLAME[cause]
    assert row.counting is Counting.NEVER or row.side is Side.WORKER


@pytest.mark.parametrize("cause", [None, *C])
def test_only_the_requesters_failures_are_contributed(cause: C | None) -> None:
    row = BLAME[cause]
    assert row.treatment is not Treatment.ERROR_RESULT or row.side in (Side.APP, Side.REQUESTER)


@pytest.mark.parametrize(
    "cause",
    [
        C.UNKNOWN,
        C.DETERMINISM_HASH_NOT_FOUND,
        C.RESULT_LINK_MISSING,
        C.TEE_NOT_SUPPORTED,
        # The lost race of a task with trust 1.
        C.CONSENSUS_REACHED,
        C.TASK_NOT_ACTIVE,
        C.CHAIN_RECEIPT_NOT_VALID,
        C.TASK_ALREADY_CONTRIBUTED,
        C.CONTRIBUTION_ALREADY_SET,
        C.CANNOT_REVEAL,
        # A deal can ask for any stake.
        C.STAKE_TOO_LOW,
        C.CHAIN_UNREACHABLE,
    ],
)
def test_what_a_deal_or_the_chain_can_cause_never_counts(cause: C) -> None:
    assert not blame.counts(cause, before_deadline=True)


@pytest.mark.parametrize(
    "cause", [C.HOST_FAILED, C.ASSIGNMENT_TIMEOUT, C.EXECUTION_TIMEOUT, C.OUT_OF_GAS, None]
)
def test_a_broken_or_silent_host_counts(cause: C | None) -> None:
    assert blame.counts(cause, before_deadline=False)


def test_a_contribution_timeout_counts_only_before_the_deadline() -> None:
    assert blame.counts(C.CONTRIBUTION_TIMEOUT, before_deadline=True)
    assert not blame.counts(C.CONTRIBUTION_TIMEOUT, before_deadline=False)


def test_a_failure_of_the_host_is_never_contributed() -> None:
    assert not blame.is_error_result(C.HOST_FAILED)
    assert blame.is_error_result(C.APP_COMPUTE_FAILED)


def test_a_registry_in_trouble_is_contributed_only_as_the_last_resort() -> None:
    assert blame.is_error_result(C.APP_REGISTRY_UNAVAILABLE)
    assert [cause for cause in C if blame.is_last_resort(cause)] == [C.APP_REGISTRY_UNAVAILABLE]
    assert not blame.is_error_result(C.PUBLIC_REGISTRY_UNAVAILABLE)
    for cause in (C.APP_REGISTRY_UNAVAILABLE, C.PUBLIC_REGISTRY_UNAVAILABLE):
        assert not blame.counts(cause, before_deadline=True)


def test_a_task_waits_only_after_failures_of_the_chain_or_the_pool() -> None:
    waiting = {BLAME[cause].side for cause in (None, *C) if blame.waits_for_retry(cause)}
    assert waiting == {Side.CHAIN, Side.POOL}


def test_the_document_has_a_line_for_each_cause() -> None:
    lines = blame.document().splitlines()
    assert len(lines) == 2 + len(BLAME)
    assert lines[2] == "| (no cause) | worker | given to another worker | yes |"
    assert "| APP_COMPUTE_FAILED | app | contributed as an error result | no |" in lines

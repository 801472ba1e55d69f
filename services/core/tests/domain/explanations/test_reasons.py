"""The table of reasons is complete, and says of each code what a reader needs."""

from collections.abc import Mapping

import pytest
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import REASONS, document, reason
from workerpool_core.domain.explanations.table.failures import FAILURES
from workerpool_core.domain.explanations.table.meaning import Meaning, Subject
from workerpool_core.domain.explanations.table.pool import POOL
from workerpool_core.domain.explanations.table.tasks import TASKS
from workerpool_core.domain.explanations.table.workers import WORKERS
from workerpool_poco.protocol.causes import ReplicateStatusCause, Side


@pytest.mark.parametrize("code", ReasonCode)
def test_every_code_has_a_row_with_a_sentence_and_a_next_step(code: ReasonCode) -> None:
    row = REASONS[code]
    assert row.meaning.endswith(".")
    assert row.next_step.endswith(".")
    assert len(set(row.evidence)) == len(row.evidence)


@pytest.mark.parametrize(
    ("rows", "subject"),
    [
        (TASKS, Subject.TASK),
        (FAILURES, Subject.FAILURE),
        (WORKERS, Subject.WORKER),
        (POOL, Subject.POOL),
    ],
)
def test_each_code_has_its_row_among_those_of_its_subject_alone(
    rows: Mapping[ReasonCode, Meaning], subject: Subject
) -> None:
    assert {row.subject for row in rows.values()} == {subject}
    assert rows.keys() == {code for code in ReasonCode if REASONS[code].subject is subject}


def test_a_reason_is_that_of_the_table_unless_the_case_says_more() -> None:
    found = reason(ReasonCode.NO_WORKER_CONNECTED)
    row = REASONS[ReasonCode.NO_WORKER_CONNECTED]
    assert (found.message, found.side, found.next_step) == (row.meaning, Side.POOL, row.next_step)
    found = reason(ReasonCode.NO_WORKER_CONNECTED, "none", side=Side.WORKER, next_step="Wait.", until=5.0)
    assert (found.message, found.side, found.next_step, found.until) == ("none", Side.WORKER, "Wait.", 5.0)


def test_evidence_without_a_value_is_left_out_but_zero_is_one() -> None:
    evidence = {"connected": 0, "wallet": "", "tag": None, "trust": 3}
    assert reason(ReasonCode.COMPUTING, evidence=evidence).evidence == (("connected", "0"), ("trust", "3"))


def test_cause_and_exit_code_are_evidence() -> None:
    found = reason(ReasonCode.APP_FAILED, cause=ReplicateStatusCause.APP_COMPUTE_FAILED, exit_code=3)
    assert found.evidence == (("cause", "APP_COMPUTE_FAILED"), ("exit_code", "3"))


def test_what_has_no_end_is_due_never() -> None:
    assert reason(ReasonCode.WORKER_DRAINED, until=float("inf")).until == 0.0


def test_the_page_has_each_code_once_under_its_subject() -> None:
    page = document()
    for code in ReasonCode:
        assert page.count(f"| {code.value} |") == 1
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        f"## {s.value}" for s in Subject
    ]

"""The lines of `poolworker status`."""

import pytest
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.domain.diagnosis.status_report import (
    Earned,
    HeldReplicate,
    StatusReport,
    is_at_stake,
    lines,
    max_reward,
    why_no_work,
)
from workerpool_worker.domain.record import ReplicateRecord

NOW = 1_800_000_000.0


def text(report: StatusReport) -> str:
    return "\n".join(lines(report, NOW))


def test_what_could_not_be_read_is_unknown() -> None:
    told = text(StatusReport("1.0", unread=["the scheduler does not answer"]))
    assert "earned      unknown" in told
    assert "stake       unknown" in told
    assert "gas         unknown" in told
    assert "not read    the scheduler does not answer" in told


def test_money_and_replicates_are_shown_in_words() -> None:
    told = text(
        StatusReport(
            "1.0",
            pid=7,
            replicates=[HeldReplicate("0xt", "COMPUTE", "COMPUTING", NOW - 192, "app:1")],
            earned=Earned(NOW - 86_400, 12_500_000_000, 31, 10**9, 1),
            pending_tasks=2,
            pending_max=10**9,
            stake=10**9,
            locked=0,
            balance=10**18,
            transactions_left=40,
        )
    )
    assert "0xt  COMPUTING, next step COMPUTE, for 3 min 12 s, app:1" in told
    assert "12.5 RLC in 31 tasks since 2027-01-14" in told
    assert "lost 1 RLC in 1 tasks" in told
    assert "at most 1 RLC for 2 contributions" in told
    assert "40 transactions left (1 coins)" in told


def test_the_nearest_reason_for_no_work_is_shown() -> None:
    report = StatusReport("1.0", idle_reason="No task waits.", troubles=["docker: it is away."])
    assert "does not run" in why_no_work(report)
    report.pid = 7
    assert why_no_work(report) == "docker: it is away."
    report.troubles = []
    assert why_no_work(report) == "No task waits."


@pytest.mark.parametrize(
    ("pid", "is_elsewhere", "told"),
    [
        (None, False, "does not run"),
        (7, False, "runs as process 7"),
        (7, True, "runs in a container"),
        (0, True, "runs"),
    ],
)
def test_a_worker_of_a_container_has_no_process_here(pid: int | None, is_elsewhere: bool, told: str) -> None:
    report = StatusReport("1.0", pid=pid, is_elsewhere=is_elsewhere)
    assert next(lines(report, 0.0)).endswith(f"1.0, {told}")


def test_a_block_of_a_time_beyond_the_calendar_does_not_end_the_report() -> None:
    assert "0 RLC in 0 tasks since 9999-12-31" in text(
        StatusReport("1.0", earned=Earned(2.0**64, 0, 0, 0, 0))
    )


def test_free_gas_is_shown() -> None:
    assert "free on this chain" in text(StatusReport("1.0", balance=0))


def test_only_contributions_on_chain_are_at_stake() -> None:
    record = ReplicateRecord(TaskId("0x" + "ab" * 32))
    assert not is_at_stake(record.evolve(status=ReplicateStatus.CONTRIBUTING))
    assert is_at_stake(record.evolve(status=ReplicateStatus.CONTRIBUTED))
    assert not is_at_stake(record.evolve(status=ReplicateStatus.COMPLETED))


def test_the_scheduler_keeps_its_percentage() -> None:
    assert max_reward(1_000, 20) == 800

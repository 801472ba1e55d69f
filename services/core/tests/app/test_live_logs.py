"""The tails of what running apps print."""

from workerpool_core.app.live_logs import LONGEST_LOG, LiveLogs
from workerpool_core.domain.decisions import Outcome, ReplicateChanged
from workerpool_core.domain.model import Modifier, ReplicateChange
from workerpool_core.store.store import KeptLogs
from workerpool_poco.statuses import ReplicateStatus

TASK, OTHER = "0x" + "11" * 32, "0x" + "22" * 32


def changed(status: ReplicateStatus) -> Outcome:
    change = ReplicateChange(status, 1.0, Modifier.WORKER)
    return Outcome([ReplicateChanged(TASK, "0xA", ReplicateStatus.COMPUTING, (change,), {})])


def test_only_the_last_characters_of_each_stream_are_kept() -> None:
    logs = LiveLogs()
    logs.add(TASK, "0xA", stdout="first" + "x" * LONGEST_LOG, stderr="e")
    logs.add(TASK, "0xA", stdout="last")
    (kept,) = logs.of(TASK)
    assert (len(kept.stdout), kept.stdout[-5:], kept.stderr) == (LONGEST_LOG, "xlast", "e")


def test_tails_are_told_by_task_and_by_worker() -> None:
    logs = LiveLogs()
    logs.add(TASK, "0xA", stdout="a")
    logs.add(TASK, "0xB", stdout="b")
    logs.add(OTHER, "0xA", stdout="c")
    assert [kept.stdout for kept in logs.of(TASK)] == ["a", "b"]
    assert logs.of(TASK, "0xB") == [KeptLogs("0xB", "b", "")]
    assert logs.of("0x" + "33" * 32) == []


def test_the_silent_are_forgotten_first_when_all_together_are_too_long() -> None:
    logs = LiveLogs(most_characters=10)
    logs.add(TASK, "0xA", stdout="aaaa")
    logs.add(TASK, "0xB", stdout="bbbb")
    logs.add(TASK, "0xA", stdout="a")
    logs.add(TASK, "0xC", stdout="cccc")
    assert [kept.wallet for kept in logs.of(TASK)] == ["0xA", "0xC"]


def test_a_tail_lasts_as_long_as_its_app_runs() -> None:
    logs = LiveLogs()
    logs.add(TASK, "0xA", stdout="a")
    logs.settle(changed(ReplicateStatus.COMPUTING))
    assert logs.of(TASK)
    logs.settle(changed(ReplicateStatus.COMPUTED))
    assert logs.of(TASK) == []

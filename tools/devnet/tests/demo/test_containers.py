from typing import Any

from workerpool_devnet.demo.containers import TASK_LABEL, ContainerClock
from workerpool_poco.protocol.ids import TaskId

TASK, OTHER = TaskId("0x" + "ab" * 32), TaskId("0x" + "cd" * 32)
SECOND = 1_000_000_000


def event(action: str, container: str, nanoseconds: int) -> dict[str, Any]:
    return {
        "Action": action,
        "Actor": {"ID": container, "Attributes": {TASK_LABEL: TASK}},
        "timeNano": nanoseconds,
    }


def test_the_longest_container_of_a_task_counts() -> None:
    clock = ContainerClock()
    for each in (
        event("start", "a", 0),
        event("start", "b", SECOND),
        event("die", "b", 4 * SECOND),
        event("die", "a", 2 * SECOND),
    ):
        clock.record(each)
    assert clock.longest(TASK) == 3.0
    assert clock.longest(OTHER) == 0.0


def test_the_end_of_a_container_with_unknown_start_is_ignored() -> None:
    clock = ContainerClock()
    clock.record(event("die", "a", SECOND))
    assert clock.longest(TASK) == 0.0

"""The surroundings of a seed draw faults until their end and trace what happens."""

from workerpool_core.simulation.behaviours import WorkerBehaviour
from workerpool_core.simulation.environment import START, Environment


def test_no_fault_occurs_after_the_end_of_the_faults() -> None:
    environment = Environment(1, None)
    assert environment.happens(1.0)
    assert not environment.happens(0.0)
    environment.faults_end = START
    assert not environment.happens(1.0)


def test_every_stage_of_the_broken_worker_fails() -> None:
    environment = Environment(1, None)
    environment.faults_end = START
    environment.behaviours["0xW1"] = WorkerBehaviour.BROKEN
    assert environment.stage_fails("0xW1")
    assert not environment.stage_fails("0xW0")


def test_occurrences_are_traced_with_the_seconds_since_the_start() -> None:
    traced: list[tuple[float, str, dict[str, object]]] = []
    environment = Environment(1, lambda at, what, fields: traced.append((at, what, fields)))
    environment.clock.run(START + 5)
    environment.note("event", what="x")
    assert (environment.is_traced, traced) == (True, [(5.0, "event", {"what": "x"})])
    assert not Environment(1, None).is_traced

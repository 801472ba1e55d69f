"""Every obstacle has a sentence; the situations are specified in test_explainer."""

from random import Random

import pytest
from workerpool_core.domain.dispatch.obstacle_reasons import Case, obstacle_reason
from workerpool_core.domain.dispatch.obstacles import PLAIN, BlockedWorkers, Obstacle
from workerpool_core.domain.explanations.reasons import REASONS
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.model import Worker, WorkerModel
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.state import State


@pytest.mark.parametrize("obstacle", Obstacle)
def test_every_obstacle_has_a_reason_with_the_number_of_workers(obstacle: Obstacle) -> None:
    live = LiveWorker(Worker("0xA", WorkerModel("a", "1", "linux", "x86", 1, 1), 0.0, 0.0))
    found = obstacle_reason(Case(State(Policy(), Random(1)), PLAIN, BlockedWorkers({obstacle: [live]})))
    assert found.code is not None
    assert found.message
    assert found.side is not None
    told = dict(found.evidence)
    assert told[obstacle.name.lower()] == "1"
    assert told.keys() <= set(REASONS[found.code].evidence)

"""Each stage that runs a step has its causes, and each cause that the worker's code names has a stage."""

import re
from pathlib import Path

import workerpool_worker
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_worker.app.stage_retries import TRANSIENT
from workerpool_worker.domain.failures.stage_causes import CAUSES
from workerpool_worker.domain.stages import STATUSES

NAMED = re.compile(r"(?:ReplicateStatusCause|Cause)\.([A-Z_]+[A-Z])\b")
NO_STAGE = {
    # Reported of an assignment that no replicate could be made of.
    "TASK_DESCRIPTION_INVALID",
    # A class variable of generated messages.
    "DESCRIPTOR",
}


def test_every_stage_with_a_step_has_causes() -> None:
    assert CAUSES.keys() == STATUSES.keys()


def test_every_cause_that_the_code_names_belongs_to_a_stage() -> None:
    table = "stage_causes.py"
    files = [each for each in Path(workerpool_worker.__path__[0]).rglob("*.py") if each.name != table]
    named = {name for each in files for name in NAMED.findall(each.read_text())} - NO_STAGE
    assert named - {cause.name for causes in CAUSES.values() for cause in causes} == set()


def test_what_ends_any_stage_is_counted_of_each() -> None:
    everywhere = {*TRANSIENT.values(), ReplicateStatusCause.UNKNOWN}
    assert all(everywhere <= causes for causes in CAUSES.values() if causes)

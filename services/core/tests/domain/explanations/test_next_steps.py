"""The next step after a failure, for every cause."""

from collections.abc import Callable

import pytest
from workerpool_core.domain.blame import BLAME, Treatment
from workerpool_core.domain.explanations.next_steps import NEXT_STEPS, advice, consequence
from workerpool_core.domain.model import Task
from workerpool_poco.protocol.causes import Side
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C


@pytest.mark.parametrize("cause", list(C))
def test_what_a_requester_can_change_has_a_next_step(cause: C, add_task: Callable[..., Task]) -> None:
    text = advice(cause, add_task())
    assert "{" not in text
    if BLAME[cause].side in (Side.APP, Side.REQUESTER, Side.POOL):
        assert text.endswith(".")


def test_the_text_names_the_task_its_image_and_its_time(add_task: Callable[..., Task]) -> None:
    task = add_task(1, app_uri="docker.io/me/app:1", max_execution_s=300)
    assert f"iexec task debug {task.task_id} --logs" in advice(C.APP_COMPUTE_FAILED, task)
    assert "docker.io/me/app:1" in advice(C.APP_IMAGE_DOWNLOAD_FAILED, task)
    assert "300 s" in advice(C.APP_COMPUTE_TIMEOUT, task)


def test_braces_in_an_image_name_are_only_text(add_task: Callable[..., Task]) -> None:
    task = add_task(1, app_uri="{task_id}{0}")
    assert "{task_id}{0}" in advice(C.APP_IMAGE_DOWNLOAD_FAILED, task)


def test_a_failure_of_the_worker_or_the_chain_has_no_advice(add_task: Callable[..., Task]) -> None:
    assert advice(C.HOST_FAILED, add_task()) == advice(C.CHAIN_UNREACHABLE, add_task(2)) == ""


@pytest.mark.parametrize("treatment", list(Treatment))
def test_each_treatment_has_a_consequence(treatment: Treatment) -> None:
    causes = [cause for cause, row in BLAME.items() if row.treatment is treatment]
    assert causes
    assert all(consequence(cause).endswith(".") for cause in causes)


def test_the_table_has_causes_only() -> None:
    assert set(NEXT_STEPS) <= set(C)

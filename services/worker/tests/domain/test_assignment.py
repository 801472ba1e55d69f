"""Properties of a task."""

from services.worker.tests.harness.builders import WORKER, assignment, task


def test_a_zero_address_means_absent() -> None:
    assert not task().has_dataset
    assert not task().has_callback
    assert task(dataset_address=WORKER).has_dataset
    assert task(callback=WORKER).has_callback


def test_an_assignment_has_the_id_of_its_task() -> None:
    assert assignment().task_id == task().task_id

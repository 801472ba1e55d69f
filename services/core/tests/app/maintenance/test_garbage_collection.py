"""Tasks that are loaded at the start are excluded from Python's garbage collection."""

import gc
from collections.abc import Iterator

import pytest
from workerpool_core.app.maintenance.garbage_collection import freeze_live_tasks


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_live_objects_are_frozen_and_collections_are_rarer() -> None:
    before = gc.get_threshold()
    freeze_live_tasks()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold()[0] > before[0]

"""Settings of what apps run with."""

import pytest
from workerpool_kit.settings.environment import SettingsError
from workerpool_worker.container_settings import ContainerSettings

from services.worker.tests.test_settings import settings


def test_apps_have_default_settings_unless_configured() -> None:
    found = settings()
    assert isinstance(found, ContainerSettings)
    assert (found.container_runtime, found.app_cpu_sets) == ("", False)
    assert (found.gpu_enabled, found.gpu_ids, found.gpus_per_task) == (False, (), 1)


def test_gpus_are_named_by_index_or_uuid() -> None:
    found = settings(WORKERPOOL_WORKER_GPU_IDS="0,GPU-5d2c3a4e", WORKERPOOL_WORKER_GPUS_PER_TASK="2")
    assert (found.gpu_ids, found.gpus_per_task) == (("0", "GPU-5d2c3a4e"), 2)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"IEXEC_WORKER_CONTAINER_RUNTIME": "run sc"}, "IEXEC_WORKER_CONTAINER_RUNTIME: .*the engine lists"),
        ({"WORKERPOOL_WORKER_GPU_IDS": "0,a b"}, "WORKERPOOL_WORKER_GPU_IDS: .*by index or UUID"),
        ({"WORKERPOOL_WORKER_GPU_IDS": "0,1,0"}, "WORKERPOOL_WORKER_GPU_IDS: .*two apps would share it"),
        (
            {"WORKERPOOL_WORKER_GPU_IDS": "0", "WORKERPOOL_WORKER_GPUS_PER_TASK": "2"},
            "WORKERPOOL_WORKER_GPU_IDS: a task gets 2 GPUs, and this host has 1",
        ),
        ({"WORKERPOOL_WORKER_GPUS_PER_TASK": "0"}, "WORKERPOOL_WORKER_GPUS_PER_TASK"),
    ],
)
def test_a_wrong_value_is_named(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        settings(**variables)

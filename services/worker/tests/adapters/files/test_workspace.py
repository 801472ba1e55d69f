"""The worker's folder and the folders of its tasks."""

from pathlib import Path

import pytest
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_worker.adapters.files.workspace import DiskWorkspace

from services.worker.tests.harness.builders import OTHER_TASK_ID, TASK_ID
from services.worker.tests.harness.folders import nest


@pytest.fixture
def workspace(tmp_path: Path) -> DiskWorkspace:
    workspace = DiskWorkspace(tmp_path / "worker")
    workspace.open()
    return workspace


def test_the_folder_is_closed_to_other_users(workspace: DiskWorkspace) -> None:
    assert workspace.root.stat().st_mode & 0o777 == 0o700


def test_a_quarantined_folder_is_removed_with_the_leftovers(workspace: DiskWorkspace) -> None:
    for task_id in (TASK_ID, OTHER_TASK_ID):
        workspace.of(task_id).prepare_output()
    quarantined = workspace.quarantine(TASK_ID)
    assert quarantined.exists()
    assert not workspace.of(TASK_ID).path.exists()
    (workspace.root / "something else").mkdir()
    assert workspace.remove_others(frozenset({TASK_ID, OTHER_TASK_ID})) == [quarantined.name]
    assert {entry.name for entry in workspace.root.iterdir()} == {OTHER_TASK_ID, "something else"}


def test_folders_of_unknown_tasks_are_removed(workspace: DiskWorkspace) -> None:
    """Scenario 9: folders of tasks that are not resumed are purged."""
    for task_id in (TASK_ID, OTHER_TASK_ID):
        workspace.of(task_id).prepare_output()
    (workspace.of(OTHER_TASK_ID).iexec_out / "closed").mkdir(mode=0o000)
    (workspace.root / "mine").mkdir()
    assert workspace.remove_others(frozenset({TASK_ID})) == [OTHER_TASK_ID]
    assert sorted(entry.name for entry in workspace.root.iterdir()) == [TASK_ID, "mine"]


def test_deeply_nested_output_is_a_result_with_a_cause(workspace: DiskWorkspace) -> None:
    folder = workspace.of(TASK_ID)
    folder.prepare_output()
    nest(folder.iexec_out, "d", 3_000)
    (folder.iexec_out / "computed.json").write_text('{"deterministic-output-path": "/iexec_out"}')
    result = folder.make_result(callback=False)
    assert result.digest == ""
    assert result.cause is ReplicateStatusCause.RESULT_RULE_BROKEN
    workspace.remove(TASK_ID)
    assert list(workspace.root.iterdir()) == []

"""The worker's folders: whatever an app leaves in them, they go."""

import os
import stat

import pytest
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_worker.adapters.files.post_compute import make_result
from workerpool_worker.adapters.files.workspace import DiskWorkspace

TASK_ID = TaskId("0x" + "01" * 32)
OTHER = "0x" + "02" * 32


@pytest.fixture
def workspace(tmp_path):
    workspace = DiskWorkspace(tmp_path / "worker")
    workspace.open()
    return workspace


def nest(folder, name, levels):
    """Make folders in folders, deeper than a path can name, with a file in each."""
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=descriptor)
        inner = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=inner))
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)


@pytest.mark.parametrize(("name", "levels"), [("d", 1_500), ("d" * 200, 1_500)])
def test_folders_in_folders_in_folders_are_removed(workspace, name, levels):
    folder = workspace.of(TASK_ID)
    folder.prepare_output()
    nest(folder.iexec_out, name, levels)
    workspace.remove(TASK_ID)
    assert list(workspace.root.iterdir()) == []


def test_output_that_is_nested_too_deeply_is_a_result_that_says_so(workspace):
    folder = workspace.of(TASK_ID)
    folder.prepare_output()
    nest(folder.iexec_out, "d", 3_000)
    result = make_result(folder, callback=False, app_succeeded=True)
    assert result.digest == ""
    assert result.cause in (
        ReplicateStatusCause.POST_COMPUTE_FAILED_UNKNOWN_ISSUE,
        ReplicateStatusCause.POST_COMPUTE_OUT_FOLDER_ZIP_FAILED,
    )
    workspace.remove(TASK_ID)


def test_closed_folders_are_removed(workspace):
    inner = workspace.of(TASK_ID).iexec_out / "closed" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    inner.parent.chmod(stat.S_IRUSR)
    workspace.remove(TASK_ID)
    assert not workspace.of(TASK_ID).path.exists()


def test_what_was_set_aside_is_removed_with_the_leftovers(workspace):
    for task_id in (TASK_ID, OTHER):
        workspace.of(task_id).prepare_output()
    aside = workspace.quarantine(TASK_ID)
    assert aside.exists()
    assert not workspace.of(TASK_ID).path.exists()
    (workspace.root / "something else").mkdir()
    assert workspace.remove_others(frozenset({TASK_ID, OTHER})) == [aside.name]
    assert {entry.name for entry in workspace.root.iterdir()} == {OTHER, "something else"}

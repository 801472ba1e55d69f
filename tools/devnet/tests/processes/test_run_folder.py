from pathlib import Path

import pytest
from workerpool_devnet.errors import OptionsError
from workerpool_devnet.processes.run_folder import claim_run_folder, remove_run_folder


def test_a_new_folder_is_created_for_its_owner_only(tmp_path: Path) -> None:
    claim_run_folder(tmp_path / "runs" / "first")
    assert (tmp_path / "runs" / "first").stat().st_mode & 0o777 == 0o700


def test_a_folder_with_the_logs_of_an_earlier_run_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    claim_run_folder(tmp_path)


def test_a_folder_with_other_files_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("content")
    with pytest.raises(OptionsError, match=r"holds thesis.txt, and the end of the run removes everything"):
        claim_run_folder(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_a_folder_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OptionsError, match="cannot be created"):
        claim_run_folder(tmp_path / "file" / "run")


@pytest.mark.parametrize("keep_logs", [False, True])
def test_removal_keeps_only_the_logs_and_only_when_asked(tmp_path: Path, keep_logs: bool) -> None:
    folder = tmp_path / "run"
    for name in ("logs", "secrets"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_text("content")
    remove_run_folder(folder, keep_logs=keep_logs)
    assert [path.name for path in folder.iterdir()] == ["logs"] if keep_logs else not folder.exists()


def test_removal_of_a_missing_folder_does_nothing(tmp_path: Path) -> None:
    remove_run_folder(tmp_path / "missing", keep_logs=False)
    remove_run_folder(tmp_path / "missing", keep_logs=True)

import stat
from pathlib import Path

import pytest
from workerpool_devnet.document import check_place, write_atomically
from workerpool_devnet.errors import OptionsError


def test_devnet_json_replaces_the_old_one_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "devnet.json"
    path.write_text("old")
    write_atomically(path, {"rpc": "http://127.0.0.1:1"})
    assert path.read_text() == '{\n  "rpc": "http://127.0.0.1:1"\n}\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["devnet.json"]


def test_the_document_of_another_devnet_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "devnet.json"
    check_place(path)
    path.write_text("another devnet's")
    with pytest.raises(OptionsError, match="exists: another devnet"):
        check_place(path)


def test_a_document_in_a_folder_that_does_not_exist_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match="create the folder"):
        check_place(tmp_path / "nowhere" / "devnet.json")

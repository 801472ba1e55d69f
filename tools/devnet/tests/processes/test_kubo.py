"""A real Kubo node starts offline, keeps its content over a restart, and ends."""

import json
from pathlib import Path

import pytest
from workerpool_devnet.processes.kubo import Kubo

# Building Kubo takes 9 minutes of processor time, which CI does not have.
pytestmark = pytest.mark.soak


def test_content_survives_a_restart(kubo_binary: Path, tmp_path: Path) -> None:
    with Kubo(kubo_binary, folder=tmp_path, log=tmp_path / "log") as node:
        cid = node.run("add", "-Q", "--cid-version=1", stdin=b"content").decode().strip()
        node.process.kill()
        node.start()
        assert node.run("cat", cid) == b"content"
        # It listens for no other node.
        assert json.loads(node.run("id"))["Addresses"] is None
    assert not node.process.running

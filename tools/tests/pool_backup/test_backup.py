"""Backup and restore of volumes with the real engine, for a pool of one container."""

import hashlib
import io
import json
import os
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import pytest
from pool_backup.__main__ import IMAGE, PROJECT, main
from pool_backup.backup import KEPT, LEFT_OUT, back_up, restore
from pool_backup.engine import BackupFailed, Engine
from stack.compose_files import POOL, load

_PROGRAMS = ("sh", "sleep", "tar", "chown", "chmod", "mkdir", "stat", "cat", "find", "sort")
MONGO, IPFS = KEPT[0], KEPT[1]
WRITES = (
    "mkdir -p /data/deep; echo deals >/data/deep/tasks.wt; chown -R 999:998 /data/deep; chmod 600 /data/deep/tasks.wt; "
    "echo spaced >'/data/two words'"
)
LISTS = 'cd /data && find . -type f | sort | while read -r f; do stat -c \'%n %u:%g %a\' "$f"; cat "$f"; done'


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    found = docker.from_env()
    yield found
    found.close()


@pytest.fixture(scope="module")
def image(client: Any) -> str:
    """An image with a tar, made of Debian's static busybox."""
    busybox = shutil.which("busybox")
    assert busybox is not None, "install the Debian package busybox-static"
    tag = hashlib.sha256(Path(busybox).read_bytes() + repr(_PROGRAMS).encode()).hexdigest()[:12]
    name = f"workerpool-tests/tar:{tag}"
    if not client.images.list(name=name):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(busybox, "bin/busybox")
            for program in _PROGRAMS:
                link = tarfile.TarInfo(f"bin/{program}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
        client.api.import_image_from_data(packed.getvalue(), repository=name.partition(":")[0], tag=tag)
    return name


@pytest.fixture
def engine(client: Any, image: str) -> Iterator[Engine]:
    """An engine of a project that no other test has; everything of it is removed."""
    made = Engine(f"backup-test-{uuid.uuid4().hex[:8]}", image)
    yield made
    label = f"com.docker.compose.project={made.project}"
    for container in client.containers.list(all=True, filters={"label": label}):
        container.remove(force=True)
    for volume in client.volumes.list(filters={"label": label}):
        volume.remove(force=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a pool with settings and secrets."""
    pool = tmp_path / "pool"
    (pool / "secrets").mkdir(parents=True, mode=0o700)
    (pool / ".env").write_text("PROD_CORE_HOST=pool\n")
    (pool / "secrets/mongo-password").write_text("strong")
    return pool


def run_service(client: Any, engine: Engine, service: str, volume: str, command: str) -> Any:
    """Write to a volume, then start a container of the pool that uses it."""
    if not engine.has_volume(volume):
        engine.create_volume(volume)
    mounted = {engine.volume(volume): {"bind": "/data", "mode": "rw"}}
    client.containers.run(
        engine.image, ["sh", "-c", command], remove=True, network_mode="none", volumes=mounted
    )
    return client.containers.run(
        engine.image,
        ["sleep", "3600"],
        detach=True,
        init=True,
        network_mode="none",
        labels={
            "com.docker.compose.project": engine.project,
            "com.docker.compose.service": service,
        },
        volumes=mounted,
        restart_policy={"Name": "unless-stopped"},
    )


def content(client: Any, engine: Engine, volume: str) -> str:
    """Return the files of a volume with owners, modes and content."""
    shown: bytes = client.containers.run(
        engine.image,
        ["sh", "-c", LISTS],
        remove=True,
        network_mode="none",
        volumes={engine.volume(volume): {"bind": "/data", "mode": "ro"}},
    )
    return shown.decode()


def remove_everything(client: Any, engine: Engine, *containers: Any) -> None:
    """Do what `docker compose down --volumes` does."""
    for container in containers:
        container.remove(force=True)
    for name in KEPT:
        with suppress(docker.errors.NotFound):
            client.volumes.get(engine.volume(name)).remove()


def test_every_volume_of_the_compose_file_is_kept_or_left_out_with_a_reason() -> None:
    pool = load({"PROD_POOL_ADDRESS": "0x", "PROD_CORE_HOST": "pool"}, POOL)
    assert set(pool["volumes"]) == {*KEPT, *LEFT_OUT}
    assert not set(KEPT) & LEFT_OUT.keys()
    assert pool["services"]["mongo"]["image"] == IMAGE
    assert pool["name"] == PROJECT


def test_a_backup_restores_files_owners_settings_and_secrets(
    client: Any, engine: Engine, folder: Path, tmp_path: Path
) -> None:
    container = run_service(client, engine, "mongo", MONGO, WRITES)
    other = run_service(client, engine, "ipfs", IPFS, "echo block >/data/block")
    before = [content(client, engine, name) for name in (MONGO, IPFS)]
    assert "./deep/tasks.wt 999:998 600\ndeals\n" in before[0]
    said: list[str] = []
    target = tmp_path / "backups/monday"
    back_up(engine, folder, target, said.append)
    assert any("mongo" in line and "ipfs" in line for line in said)
    for each in (container, other):
        each.reload()
        assert each.status == "running"
    assert (target.stat().st_mode & 0o777) == 0o700
    assert json.loads((target / "backup.json").read_text())["volumes"].keys() == {MONGO, IPFS}

    remove_everything(client, engine, container, other)
    elsewhere = tmp_path / "new host"
    elsewhere.mkdir()
    restore(engine, elsewhere, target, said.append)
    assert [content(client, engine, name) for name in (MONGO, IPFS)] == before
    assert (elsewhere / ".env").read_text() == "PROD_CORE_HOST=pool\n"
    assert (elsewhere / "secrets/mongo-password").read_text() == "strong"
    assert ((elsewhere / "secrets").stat().st_mode & 0o777) == 0o700
    volume = client.volumes.get(engine.volume(MONGO))
    assert volume.attrs["Labels"]["com.docker.compose.volume"] == MONGO


def test_containers_start_again_when_a_backup_fails(
    client: Any, engine: Engine, folder: Path, tmp_path: Path
) -> None:
    container = run_service(client, engine, "mongo", MONGO, "echo deals >/data/tasks.wt")
    broken = Engine(engine.project, "workerpool-tests/no-such-image:1")
    with pytest.raises(BackupFailed, match="no-such-image"):
        back_up(broken, folder, tmp_path / "monday", lambda line: None)
    container.reload()
    assert container.status == "running"
    assert not (tmp_path / "monday").exists()


def test_a_restore_changes_nothing_unless_it_can_be_complete(
    client: Any, engine: Engine, folder: Path, tmp_path: Path
) -> None:
    container = run_service(client, engine, "mongo", MONGO, WRITES)
    target = tmp_path / "monday"
    back_up(engine, folder, target, lambda line: None)
    with pytest.raises(BackupFailed, match="exists: name a new folder"):
        back_up(engine, folder, target, lambda line: None)
    with pytest.raises(BackupFailed, match="already hold data"):
        restore(engine, folder, target, lambda line: None)
    remove_everything(client, engine, container)
    (folder / "secrets/mongo-password").write_text("another")
    with pytest.raises(BackupFailed, match=r"mongo-password differ"):
        restore(engine, folder, target, lambda line: None)
    (folder / "secrets/mongo-password").unlink()
    archive = target / f"{MONGO}.tar.gz"
    archive.write_bytes(archive.read_bytes()[:-1])
    with pytest.raises(BackupFailed, match="missing or damaged"):
        restore(engine, folder, target, lambda line: None)
    assert not engine.has_volume(MONGO)
    assert not (folder / "secrets/mongo-password").exists()


def test_the_command_says_what_it_lacks(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", f"backup-test-{os.getpid()}")
    assert main(["backup", str(tmp_path / "monday"), "--folder", str(folder)]) == 1
    assert "run it on the pool's host" in capsys.readouterr().err
    (tmp_path / "no backup").mkdir()
    (tmp_path / "no backup/.env").touch()
    assert main(["restore", str(tmp_path / "no backup"), "--folder", str(folder)]) == 1
    assert "is no complete backup" in capsys.readouterr().err

"""The content of a pool's backup, and how to create and restore it."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pool_backup.engine import BackupFailed, Engine, digest

KEPT = ("mongo-data", "ipfs-data", "sms-data", "order-publisher-data", "result-proxy-uploads")
"""Volumes of compose.yaml in a backup."""
LEFT_OUT = {
    "mongo-config": "MongoDB leaves it empty",
    "ipfs-staging": "a folder to exchange files with the IPFS node",
    "prometheus-data": "measurements of the past",
    "grafana-data": "users and changes that were made in Grafana's page; the dashboards are in the repository",
}
"""Volumes that a backup leaves out, and what they hold."""
DATABASES = ("mongo", "ipfs")
"""Services that stop last, because others write to them."""
SETTINGS = ".env"
SECRETS = "secrets"
INDEX = "backup.json"
Say = Callable[[str], None]


def back_up(engine: Engine, folder: Path, target: Path, say: Say) -> None:
    """Write volumes, settings and secrets of the pool in `folder` to the new folder `target`.

    The containers that use the volumes stop meanwhile: core and the workers wait for them, as in an outage.
    Raises BackupFailed.
    """
    if target.exists():
        raise BackupFailed(f"{target} exists: name a new folder")
    present = [name for name in KEPT if engine.has_volume(name)]
    if not present:
        raise BackupFailed(
            f"the engine has no volume of the project {engine.project}: run it on the pool's host"
        )
    # A folder with the final name is complete.
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    _copy_settings(folder, unfinished)
    stopped = engine.running(present)
    ordered = sorted(stopped, key=lambda container: stopped[container] in DATABASES)
    say(f"stopping {', '.join(stopped[container] for container in ordered) or 'nothing: the pool is down'}")
    started = time.monotonic()
    try:
        engine.stop([each for each in ordered if stopped[each] not in DATABASES])
        engine.stop([each for each in ordered if stopped[each] in DATABASES])
        packed = {}
        for name in present:
            packed[name] = engine.pack(name, unfinished / f"{name}.tar.gz")
            say(f"{name}: {(unfinished / f'{name}.tar.gz').stat().st_size:,} bytes")
    finally:
        engine.start(ordered[::-1])
    say(f"started again after {time.monotonic() - started:.0f} s")
    index = {"made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "volumes": packed}
    (unfinished / INDEX).write_text(json.dumps(index, indent=2) + "\n")
    unfinished.rename(target)
    say(f"{target} is complete. It contains every secret of the pool: move it to another host and protect it")


def restore(engine: Engine, folder: Path, source: Path, say: Say) -> None:
    """Create the volumes of a backup and fill them, with the settings and secrets that `folder` lacks.

    Raises BackupFailed, without a change, when the backup is damaged, when one of the volumes exists, or when `folder`
    has other secrets.
    """
    volumes = _index(source)["volumes"]
    for name, expected in volumes.items():
        archive = source / f"{name}.tar.gz"
        if not archive.is_file() or digest(archive) != expected:
            raise BackupFailed(f"{archive} is missing or damaged: use another backup")
    existing = [engine.volume(name) for name in volumes if engine.has_volume(name)]
    if existing:
        raise BackupFailed(
            f"{', '.join(existing)} already hold data: docker compose down --volumes deletes it permanently"
        )
    _restore_settings(folder, source)
    made: list[str] = []
    try:
        for name in volumes:
            engine.create_volume(name)
            made.append(name)
            engine.unpack(name, source / f"{name}.tar.gz")
            say(f"{name} restored")
    except BaseException:
        for name in made:
            engine.remove_volume(name)
        raise
    say("restored; start the pool: docker compose up -d")


def _index(source: Path) -> dict[str, Any]:
    try:
        index = json.loads((source / INDEX).read_text())
        if not set(index["volumes"]) <= set(KEPT):
            raise BackupFailed(f"{source} is a backup of a newer version: restore it with that one")
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise BackupFailed(f"{source} is no complete backup: {problem}") from None
    assert isinstance(index, dict)
    return index


def _settings(folder: Path) -> dict[str, Path]:
    """Return the settings and secrets of a folder, by their place in it."""
    found = [folder / SETTINGS, *sorted((folder / SECRETS).glob("*"))]
    return {str(path.relative_to(folder)): path for path in found if path.is_file()}


def _copy_settings(folder: Path, target: Path) -> None:
    (target / SECRETS).mkdir(mode=0o700)
    for place, path in _settings(folder).items():
        shutil.copy2(path, target / place)


def _restore_settings(folder: Path, source: Path) -> None:
    secret = {place: path for place, path in _settings(source).items() if place != SETTINGS}
    differing = [
        place
        for place, path in secret.items()
        if (folder / place).is_file() and (folder / place).read_bytes() != path.read_bytes()
    ]
    if differing:
        raise BackupFailed(
            f"{', '.join(differing)} differ from those of the backup, whose data needs its own: move yours away"
        )
    for place, path in _settings(source).items():
        if not (folder / place).exists():
            # Containers read secrets as their own users; the folder keeps others of this host away.
            (folder / place).parent.mkdir(mode=0o700, exist_ok=True)
            shutil.copy2(path, folder / place)

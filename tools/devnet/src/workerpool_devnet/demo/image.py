"""The Docker image of the demo app, built on this machine without pulling any image."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from importlib.resources import files
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound

from workerpool_devnet.errors import DevnetError

REPOSITORY = "workerpool-demo/analysis"


def ensure_image() -> str:
    """Build the image unless it exists; return its name, whose tag is a hash of its contents.

    Raises `DevnetError` with what to install when there is no Docker engine or no static busybox.
    """
    context = _context()
    name = f"{REPOSITORY}:{hashlib.sha256(context).hexdigest()[:12]}"
    try:
        client = docker.from_env()
    except DockerException as error:
        raise DevnetError(f"the Docker engine does not answer ({error}); start it and try again") from error
    try:
        client.images.get(name)
    except ImageNotFound:
        _build(client, context, name)
    finally:
        client.close()
    return name


def _build(client: docker.DockerClient, context: bytes, name: str) -> None:
    try:
        client.images.build(fileobj=io.BytesIO(context), custom_context=True, tag=name, rm=True)
    except DockerException as error:
        raise DevnetError(f"the Docker engine could not build the image of the demo: {error}") from error


def _context() -> bytes:
    busybox = shutil.which("busybox")
    if busybox is None:
        raise DevnetError(
            "the image of the demo needs a static busybox (Debian: apt-get install busybox-static)"
        )
    contents = {"busybox": Path(busybox).read_bytes()}
    for source in files(__package__).joinpath("app").iterdir():
        contents[source.name] = source.read_bytes()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in sorted(contents.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()

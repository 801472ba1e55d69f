"""An image with a shell, built on this machine without a registry. Its command is that of the deal."""

import hashlib
import io
import shutil
import tarfile
from pathlib import Path

import docker

_REPOSITORY = "workerpool-tests/shell"
_PROGRAMS = ("sh", "head", "sleep", "yes")


def ensure_shell_image() -> str:
    """Build the image from Debian's static busybox unless it exists; return its name."""
    busybox = shutil.which("busybox")
    assert busybox is not None, "install the Debian package busybox-static"
    tag = hashlib.sha256(Path(busybox).read_bytes() + repr(_PROGRAMS).encode()).hexdigest()[:12]
    client = docker.from_env()
    try:
        if not client.images.list(name=f"{_REPOSITORY}:{tag}"):
            client.api.import_image_from_data(_root_of(busybox), repository=_REPOSITORY, tag=tag)
    finally:
        client.close()
    return f"{_REPOSITORY}:{tag}"


def _root_of(busybox: str) -> bytes:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for name in _PROGRAMS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return tar.getvalue()

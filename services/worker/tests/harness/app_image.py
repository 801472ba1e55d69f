"""An image with a shell, built on this machine without a registry."""

import hashlib
import io
import shutil
import tarfile
from pathlib import Path
from typing import Any

REPOSITORY = "workerpool-worker-tests"
PROGRAMS = (
    *("sh", "cat", "ls", "sleep", "head", "yes", "touch", "true", "sha256sum", "tr", "chmod"),
    *("dd", "ip", "ln", "mkdir", "nc", "rm", "seq", "timeout", "truncate", "wget"),
)


class NoBusybox(Exception):
    """This machine has no static busybox to build the image from."""


def ensure_image(client: Any) -> str:
    """Build an image from Debian's static busybox unless it exists; return its name. Raises `NoBusybox`."""
    busybox = shutil.which("busybox")
    if busybox is None:
        raise NoBusybox
    tag = hashlib.sha256(Path(busybox).read_bytes() + repr(PROGRAMS).encode()).hexdigest()[:12]
    image = f"{REPOSITORY}:{tag}"
    if not client.images.list(name=image):
        client.api.import_image_from_data(_root_of(busybox), repository=REPOSITORY, tag=tag)
    return image


def _root_of(busybox: str) -> bytes:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for name in PROGRAMS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(folder)
    return tar.getvalue()

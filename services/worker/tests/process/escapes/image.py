"""An image whose apps try to escape: a static busybox, Perl for system calls, and one script for each attempt."""

import hashlib
import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = "workerpool-worker-escapes"
SECRET = "/secret"
"""A file that only root may read."""
SETUID_CAT = "/bin/setuid-cat"
"""Prints files with the rights of root where a program may gain rights."""
_LIBRARY = re.compile(r"(/\S+) \(0x")
_VOLUME = "VOLUME /data"
"""Each container gets a volume of its own, which must not outlive it."""
_UNPRIVILEGED = "USER 65534"


class NoProgram(Exception):
    """This machine lacks a program that the image is made of."""


@dataclass(frozen=True)
class Images:
    """Names of two images that differ in the user of their apps."""

    root: str
    unprivileged: str


def script_path(name: str) -> str:
    """Return where the image has a script."""
    return f"/app/{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}.sh"


def ensure_images(client: Any, scripts: Mapping[str, str]) -> Images:
    """Build the images with these scripts, by name, unless the engine has them. Raises `NoProgram`."""
    root = _root(scripts)
    return Images(_ensure(client, root, _VOLUME), _ensure(client, root, _VOLUME, _UNPRIVILEGED))


def _ensure(client: Any, root: bytes, *changes: str) -> str:
    tag = hashlib.sha256(root + repr(changes).encode()).hexdigest()[:12]
    name = f"{REPOSITORY}:{tag}"
    if not client.images.list(name=name):
        client.api.import_image_from_data(root, repository=REPOSITORY, tag=tag, changes=list(changes))
    return name


def _root(scripts: Mapping[str, str]) -> bytes:
    """Return the file system of the images as a tar archive, equal for equal programs and scripts."""
    busybox, perl, cat = _program("busybox"), _program("perl"), _program("cat")
    files = {
        "/bin/busybox": (busybox.read_bytes(), 0o755),
        "/usr/bin/perl": (perl.read_bytes(), 0o755),
        SETUID_CAT: (cat.read_bytes(), 0o4755),
        SECRET: (b"secret\n", 0o600),
        **{path: (Path(path).read_bytes(), 0o755) for each in (perl, cat) for path in _libraries(each)},
        **{script_path(name): (text.encode(), 0o755) for name, text in scripts.items()},
    }
    folders = {str(parent): 0o755 for path in files for parent in Path(path).parents} | {
        "/mnt": 0o755,
        "/tmp": 0o1777,
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, mode in sorted(folders.items()):
            if path != "/":
                _add(archive, path, mode=mode, kind=tarfile.DIRTYPE)
        for path, (data, mode) in sorted(files.items()):
            _add(archive, path, data, mode=mode)
        for applet in _applets(busybox):
            _add(archive, f"/bin/{applet}", kind=tarfile.SYMTYPE, link="busybox")
    return packed.getvalue()


def _add(
    archive: tarfile.TarFile,
    path: str,
    data: bytes = b"",
    *,
    mode: int = 0o777,
    kind: bytes = tarfile.REGTYPE,
    link: str = "",
) -> None:
    entry = tarfile.TarInfo(path[1:])
    entry.type, entry.mode, entry.linkname, entry.size = kind, mode, link, len(data)
    archive.addfile(entry, io.BytesIO(data))


def _program(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise NoProgram(name)
    return Path(found).resolve()


def _libraries(program: Path) -> list[str]:
    listing = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return _LIBRARY.findall(listing)


def _applets(busybox: Path) -> list[str]:
    listing = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout
    return [name for name in listing.split() if name != "busybox"]

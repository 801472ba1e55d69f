"""A tar archive that depends on nothing but the content and the modes of a folder's files."""

import gzip
import tarfile
from pathlib import Path

_PROGRAM, _FILE = 0o755, 0o644


def pack(folder: Path, target: Path, epoch: int) -> None:
    """Write `folder` as a .tar.gz: sorted names, one time for all files (seconds since 1970), root as their owner.

    Links are kept as links. A file that its owner may execute gets the mode 755, any other 644.
    """
    members = [folder, *sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).parts)]
    with (
        target.open("wb") as raw,
        # Without a name and a time in its header.
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in members:
            _add(archive, path, str(Path(folder.name) / path.relative_to(folder)), epoch)


def _add(archive: tarfile.TarFile, path: Path, name: str, epoch: int) -> None:
    info = tarfile.TarInfo(name)
    info.mtime = epoch
    info.uname = info.gname = "root"
    if path.is_symlink():
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
        archive.addfile(info)
    elif path.is_dir():
        info.type, info.mode = tarfile.DIRTYPE, _PROGRAM
        archive.addfile(info)
    else:
        status = path.stat()
        info.size, info.mode = status.st_size, _PROGRAM if status.st_mode & 0o100 else _FILE
        with path.open("rb") as content:
            archive.addfile(info, content)

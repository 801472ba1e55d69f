"""The archive of a release depends on content and modes alone, so that everyone can build the same bytes."""

import os
import subprocess
import tarfile
from pathlib import Path

from worker_release.archive import pack

EPOCH = 1_700_000_000


def folder(parent: Path, names: list[str], *, age_s: int) -> Path:
    """Make a folder of files, a program and a link, in the given order."""
    made = parent / "poolworker-1.2.3"
    (made / "lib").mkdir(parents=True)
    for name in names:
        (made / name).write_text(f"content of {name}")
        os.utime(made / name, (age_s, age_s))
    (made / "start").write_text("#!/bin/sh\n")
    (made / "start").chmod(0o700)
    (made / "lib/link").symlink_to("b")
    return made


def test_order_times_and_access_of_the_files_do_not_matter(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", ["lib/b", "lib/a", "z"], age_s=1)
    two = folder(tmp_path / "two", ["z", "lib/a", "lib/b"], age_s=2)
    (two / "z").chmod(0o600)
    (two / "lib").chmod(0o700)
    pack(one, tmp_path / "one.tar.gz", EPOCH)
    pack(two, tmp_path / "other-name.tar.gz", EPOCH)
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "other-name.tar.gz").read_bytes()


def test_content_modes_and_time_do_matter(tmp_path: Path) -> None:
    made = folder(tmp_path, ["a"], age_s=1)
    target = tmp_path / "archive"
    seen = set()
    for change in (
        lambda: None,
        lambda: (made / "a").write_text("x"),
        lambda: (made / "a").chmod(0o755),
        lambda: (made / "lib/link").unlink(),
    ):
        change()
        pack(made, target, EPOCH)
        seen.add(target.read_bytes())
    pack(made, target, EPOCH + 1)
    seen.add(target.read_bytes())
    assert len(seen) == 5


def test_an_unpacked_archive_has_the_files_the_link_and_their_modes(tmp_path: Path) -> None:
    pack(folder(tmp_path, ["lib/b", "a"], age_s=1), tmp_path / "archive", EPOCH)
    with tarfile.open(tmp_path / "archive") as archive:
        members = {member.name: member for member in archive}
    assert list(members) == [
        "poolworker-1.2.3",
        "poolworker-1.2.3/a",
        "poolworker-1.2.3/lib",
        "poolworker-1.2.3/lib/b",
        "poolworker-1.2.3/lib/link",
        "poolworker-1.2.3/start",
    ]
    assert {(each.mtime, each.uid, each.gid, each.uname) for each in members.values()} == {
        (EPOCH, 0, 0, "root")
    }
    (tmp_path / "out").mkdir()
    subprocess.run(["tar", "-xpzf", tmp_path / "archive", "-C", tmp_path / "out"], check=True)
    out = tmp_path / "out/poolworker-1.2.3"
    assert (out / "lib/link").readlink() == Path("b")
    assert (out / "lib/b").read_text() == "content of lib/b"
    assert ((out / "start").stat().st_mode & 0o777, (out / "a").stat().st_mode & 0o777) == (0o755, 0o644)

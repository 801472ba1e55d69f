"""The outputs that cost a pool its stake or its memory, each as an app leaves it on a real disk."""

import json
import os
import socket
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from workerpool_poco.protocol.statuses import ReplicateStatusCause
from workerpool_worker.adapters.files.post_compute import make_result
from workerpool_worker.adapters.files.workspace import DiskTaskFolder

from services.worker.tests.harness.folders import nest

MIB = 1 << 20
BROKEN = ReplicateStatusCause.RESULT_RULE_BROKEN
NOT_FOUND = ReplicateStatusCause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND
NO_DIGEST = ReplicateStatusCause.POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED
TOO_LONG = ReplicateStatusCause.POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME


@pytest.fixture
def folder(tmp_path: Path) -> DiskTaskFolder:
    made = DiskTaskFolder(tmp_path / "task")
    made.prepare_output()
    (made.iexec_out / "r").write_text("x")
    return made


def computed(path: str) -> bytes:
    return json.dumps({"deterministic-output-path": path}).encode()


def write_computed(content: bytes) -> Callable[[Path], object]:
    return lambda out: (out / "computed.json").write_bytes(content)


def sparse(name: str, size: int) -> Callable[[Path], None]:
    def write(out: Path) -> None:
        with (out / name).open("wb") as file:
            file.truncate(size)

    return write


def empty_folder(out: Path) -> None:
    write_computed(computed("/iexec_out/o"))(out)
    (out / "o").mkdir()


def many_files(out: Path) -> None:
    for number in range(20_001):
        (out / f"{number}").touch()


def listening(out: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(out / "socket"))


COMPUTED_CASES: dict[str, tuple[Callable[[Path], object], ReplicateStatusCause, str]] = {
    "computed-odd: missing": (lambda out: None, NOT_FOUND, "computed.json is missing"),
    "computed-odd: empty": (write_computed(b""), NOT_FOUND, "computed.json is empty"),
    "computed-odd: a folder": (
        lambda out: (out / "computed.json").mkdir(),
        NOT_FOUND,
        "is a folder, not a file",
    ),
    "computed-odd: a fifo": (
        lambda out: os.mkfifo(out / "computed.json"),
        NOT_FOUND,
        "is a fifo, not a file",
    ),
    "computed-odd: a list": (write_computed(b"[]"), NOT_FOUND, "holds a list, not a JSON object"),
    "computed-odd: UTF-16": (
        write_computed(computed("/iexec_out/r").decode().encode("utf-16")),
        NOT_FOUND,
        "UTF-16",
    ),
    "computed-odd: not UTF-8": (write_computed(b'{"a": "\xff"}'), NOT_FOUND, "is not UTF-8 text"),
    "computed-odd: a lone surrogate": (
        write_computed(computed("/iexec_out/\ud800")),
        NO_DIGEST,
        "lone surrogate",
    ),
    "computed-odd: a path outside": (
        write_computed(computed("/etc/passwd")),
        NO_DIGEST,
        "must lie in /iexec_out",
    ),
    "computed-odd: a path with ..": (
        write_computed(computed("/iexec_out/../etc")),
        NO_DIGEST,
        "must not contain",
    ),
    "computed-odd: a path to nothing": (
        write_computed(computed("/iexec_out/none")),
        NO_DIGEST,
        "names nothing",
    ),
    "computed-odd: an empty folder": (
        empty_folder,
        NO_DIGEST,
        "a folder without files",
    ),
    "computed-odd: a link out": (
        lambda out: (out / "computed.json").symlink_to("/etc/hostname"),
        NOT_FOUND,
        "leads out",
    ),
    "computed-odd: a dangling link": (
        lambda out: (out / "computed.json").symlink_to("no"),
        NOT_FOUND,
        "link to nothing",
    ),
    "computed-deep": (write_computed(b"[" * 99_000), BROKEN, "nested deeper than 64 levels"),
    "computed-deep: objects": (write_computed(b'{"a":' * 99_000), BROKEN, "nested deeper than 64 levels"),
    "computed-huge": (
        sparse("computed.json", 1_500 * MIB),
        BROKEN,
        "has 1572864000 bytes; the limit is 1048576",
    ),
    "computed-huge: spaces": (
        write_computed(b" " * MIB + computed("/iexec_out/r")),
        BROKEN,
        "the limit is 1048576",
    ),
}


@pytest.mark.parametrize("case", COMPUTED_CASES)
def test_each_odd_computed_json_has_its_cause_and_sentence(folder: DiskTaskFolder, case: str) -> None:
    leave, cause, sentence = COMPUTED_CASES[case]
    leave(folder.iexec_out)
    began = time.thread_time()
    found = make_result(folder, callback=False)
    assert time.thread_time() - began < 5
    assert (found.digest, found.cause) == ("", cause)
    assert sentence in found.message
    assert not folder.archive.exists()


ARCHIVE_CASES: dict[str, tuple[Callable[[Path], object], ReplicateStatusCause, str]] = {
    "archive-link-out": (lambda out: (out / "e").symlink_to("/etc"), BROKEN, "the link 'e' is not allowed"),
    "archive-link-out: upwards": (
        lambda out: (out / "e").symlink_to("../../.."),
        BROKEN,
        "leads out of /iexec_out",
    ),
    "archive-link-out: dangling": (lambda out: (out / "e").symlink_to("none"), BROKEN, "names nothing"),
    "archive-link-out: loop": (lambda out: (out / "e").symlink_to("e"), BROKEN, "loop of links"),
    "archive-link-out: its own folder": (
        lambda out: (out / "e").symlink_to("."),
        BROKEN,
        "a folder that contains it",
    ),
    "archive-name-32": (lambda out: (out / ("a" * 32)).touch(), TOO_LONG, "32 characters; the limit is 31"),
    "archive-deep-path": (lambda out: nest(out, "a" * 10, 300), BROKEN, "deeper than 64 levels"),
    "a fifo": (lambda out: os.mkfifo(out / "fifo"), BROKEN, "'fifo' is a fifo"),
    "a socket": (listening, BROKEN, "'socket' is a socket"),
    "a name that is not UTF-8": (lambda out: (out / os.fsdecode(b"\xff")).touch(), BROKEN, "is not UTF-8"),
    "a control character": (lambda out: (out / "a\x1b[2Jb").touch(), BROKEN, "a control character"),
    "a backslash": (lambda out: (out / "..\\evil").touch(), BROKEN, "a path separator"),
    "a sparse file": (sparse("big", 5 << 30), BROKEN, "the limit is 4294967296"),
    "many files": (
        many_files,
        BROKEN,
        "more than 20000 files",
    ),
}


@pytest.mark.parametrize("case", ARCHIVE_CASES)
def test_output_that_a_proxy_would_refuse_is_refused_before_the_contribution(
    folder: DiskTaskFolder, case: str
) -> None:
    leave, cause, sentence = ARCHIVE_CASES[case]
    write_computed(computed("/iexec_out/r"))(folder.iexec_out)
    leave(folder.iexec_out)
    found = make_result(folder, callback=False)
    assert (found.digest, found.cause) == ("", cause)
    assert sentence in found.message
    found.message.encode()
    assert not folder.archive.exists()


@pytest.mark.parametrize("target", ["r", "/iexec_out/r"])
@pytest.mark.parametrize(
    "path", ["/iexec_out/o", "/iexec_out/b"], ids=["archive-link-inside", "archive-path-is-link"]
)
def test_links_inside_are_results(folder: DiskTaskFolder, path: str, target: str) -> None:
    out = folder.iexec_out
    (out / "b").symlink_to(target)
    (out / "o").mkdir()
    (out / "o" / "latest").symlink_to("/iexec_out/b")
    (out / "o" / "first").write_text("1")
    write_computed(computed(path))(out)
    found = make_result(folder, callback=False)
    assert found.digest, found.message
    with zipfile.ZipFile(folder.archive) as archive:
        assert archive.read("b") == archive.read("o/latest") == archive.read("r") == b"x"


@pytest.mark.parametrize("kind", ["character device", "block device"])
def test_devices_are_refused(folder: DiskTaskFolder, kind: str, request: pytest.FixtureRequest) -> None:
    """Only root may create devices; a container does it for other users."""
    write_computed(computed("/iexec_out/r"))(folder.iexec_out)
    mode, letter = (stat.S_IFCHR, "c") if kind == "character device" else (stat.S_IFBLK, "b")
    if os.geteuid() == 0:
        os.mknod(folder.iexec_out / "zero", mode | 0o644, os.makedev(1, 5))
    else:
        request.getfixturevalue("docker_client").containers.run(
            request.getfixturevalue("app_image"),
            ["/bin/busybox", "mknod", "/iexec_out/zero", letter, "1", "5"],
            volumes={str(folder.iexec_out): {"bind": "/iexec_out", "mode": "rw"}},
            network_mode="none",
            remove=True,
        )
    found = make_result(folder, callback=False)
    assert (found.digest, found.cause) == ("", BROKEN)
    assert f"'zero' is a {kind}" in found.message


_MEASURED = """
import resource, sys
from pathlib import Path
from workerpool_worker.adapters.files.post_compute import make_result
from workerpool_worker.adapters.files.workspace import DiskTaskFolder
make_result(DiskTaskFolder(Path(sys.argv[1])), callback=False)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
result = make_result(DiskTaskFolder(Path(sys.argv[2])), callback=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, result.cause)
"""


@pytest.mark.parametrize("case", ["computed-huge", "computed-huge: spaces", "a large result"])
def test_memory_does_not_grow_with_the_output(tmp_path: Path, case: str) -> None:
    """It grows by less than 16 MiB, in a process that has built a small result before."""
    small, large = DiskTaskFolder(tmp_path / "small"), DiskTaskFolder(tmp_path / "large")
    for each in (small, large):
        each.prepare_output()
        (each.iexec_out / "r").write_text("x")
        write_computed(computed("/iexec_out/r"))(each.iexec_out)
    if case == "computed-huge":
        sparse("computed.json", 1_500 * MIB)(large.iexec_out)
    elif case == "computed-huge: spaces":
        with (large.iexec_out / "computed.json").open("ab") as file:
            for _ in range(300):
                file.write(b" " * MIB)
    else:
        sparse("r", 300 * MIB)(large.iexec_out)
        (large.iexec_out / "link").symlink_to("r")
    command = [sys.executable, "-c", _MEASURED, str(small.path), str(large.path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert int(output[0]) < 16 * 1024, f"it grew by {output[0]} KiB"
    assert output[1] == ("None" if case == "a large result" else BROKEN)

"""Input files and datasets from odd addresses and hostile servers."""

from __future__ import annotations

from collections.abc import Callable

from workerpool_poco.protocol.deal_params import DealParams

from hostile.catalogue.entry import Entry, Ground, Outcome, ends, error_result, to_file

_FAILED = error_result("INPUT_FILES_DOWNLOAD_FAILED", "DEAL_PARAMS_INVALID")
_FORMS = {
    "space": "http://a b/x",
    "port": "http://host:99999/x",
    "no-host": "http:///x",
    "ftp": "ftp://h/x",
    "file": "file:///etc/passwd",
    "data": "data:,x",
    "empty": "",
    "relative": "x/y",
    "bracket": "http://[::1/x",
    "line": "http://127.0.0.1/a\nb",
    "user": "http://user:word@169.254.169.254/x",
    "long": "http://127.0.0.1/" + "a" * 5000,
    "idna": "http://xn--a-/x",
}
_PRIVATE = {
    "loopback": "http://127.0.0.2:8080/x",
    "loopback-decimal": "http://2130706434/x",
    "loopback-octal": "http://0177.0.0.2/x",
    "loopback-short": "http://127.2/x",
    "zero": "http://0.0.0.0:8080/x",
    "ten": "http://10.0.0.1/x",
    "sixteen": "http://172.16.0.1/x",
    "home": "http://192.168.0.1/x",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "v6-loopback": "http://[::1]/x",
    "v6-private": "http://[fc00::1]/x",
    "v6-mapped": "http://[::ffff:169.254.169.254]/x",
    "v6-nat": "http://[64:ff9b::a9fe:a9fe]/x",
}
_TRAPS = {
    "drip": 25.0,
    "drip-headers": 25.0,
    "silent": 25.0,
    "endless": 10.0,
    "endless-chunks": 10.0,
    "wrong-length": 0.0,
    "missing": 0.0,
    "error": 0.0,
    "redirect-metadata": 0.0,
    "redirect-loopback": 0.0,
    "redirect-loop": 5.0,
    "redirect-file": 0.0,
    "garbage": 0.0,
}
"""Path on the hostile server → seconds that its refusal may take."""


def _entry(
    name: str, right: Outcome, urls: Callable[[Ground], tuple[str, ...]], *, weight: float = 1.0
) -> Entry:
    return Entry(
        name=name,
        script="echo ok > /iexec_out/r",
        computed=to_file(),
        params=lambda ground: DealParams(args=name, input_files=urls(ground)),
        right=right,
        weight=weight,
    )


def _form(name: str, url: str) -> Entry:
    return _entry(name, _FAILED, lambda _: (url,))


def _trap(path: str, seconds: float) -> Entry:
    right = error_result("INPUT_FILES_DOWNLOAD_FAILED", seconds=seconds)
    return _entry(f"data-drip-{path}", right, lambda ground: (f"{ground.traps}/{path}",))


def _dataset(name: str, right: Outcome, made: Callable[[Ground], tuple[str, bytes]]) -> Entry:
    script = "cp /iexec_in/$IEXEC_DATASET_FILENAME /iexec_out/r"
    return Entry(name=name, script=script, computed=to_file(), dataset=made, right=right)


_NO_DATA = error_result("DATASET_FILE_DOWNLOAD_FAILED", "DATASET_FILE_BAD_CHECKSUM")

ENTRIES = (
    *(_form(f"data-url-forms-{name}", url) for name, url in _FORMS.items()),
    *(_form(f"data-private-{name}", url) for name, url in _PRIVATE.items()),
    *(_trap(path, seconds) for path, seconds in _TRAPS.items()),
    _entry("data-refused", _FAILED, lambda ground: (f"http://127.0.0.1:{ground.closed_port}/x",)),
    _entry(
        "data-second-missing", _FAILED, lambda ground: (f"{ground.files}/one.txt", f"{ground.traps}/missing")
    ),
    _entry(
        "data-300-files",
        ends("INPUT_FILES_DOWNLOAD_FAILED", "DEAL_PARAMS_INVALID", seconds=20),
        lambda ground: tuple(f"{ground.files}/{n}" for n in range(300)),
        weight=0.5,
    ),
    _entry("data-compressed", ends("INPUT_FILES_DOWNLOAD_FAILED"), lambda ground: (f"{ground.traps}/bomb",)),
    _dataset("data-no-checksum", _NO_DATA, lambda ground: (f"{ground.files}/dataset", bytes(32))),
    _dataset("data-wrong-checksum", _NO_DATA, lambda ground: (f"{ground.files}/dataset", b"\1" * 32)),
    _dataset("data-no-uri", _NO_DATA, lambda _: ("", b"\1" * 32)),
    _dataset("data-uri-odd", _NO_DATA, lambda _: ("file:///etc/passwd", b"\1" * 32)),
    _dataset("data-uri-private", _NO_DATA, lambda _: ("http://169.254.169.254/x", b"\1" * 32)),
    _dataset(
        "data-set-drip",
        error_result("DATASET_FILE_DOWNLOAD_FAILED", seconds=25),
        lambda ground: (f"{ground.traps}/drip", b"\1" * 32),
    ),
)

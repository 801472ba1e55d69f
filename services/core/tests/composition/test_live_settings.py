"""The file of settings that change while core runs, and its signal."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from patience import PATIENCE_S
from workerpool_core.composition import live_settings
from workerpool_core.composition.live_settings import LiveFileError
from workerpool_core.settings import CoreSettings

from services.core.tests.doubles.settings import POOL_ADDRESS, load

WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "live.env"


@pytest.fixture
def settings(file: Path, monkeypatch: pytest.MonkeyPatch) -> CoreSettings:
    environ = {
        "POOL_ADDRESS": POOL_ADDRESS,
        "WORKERPOOL_CORE_LIVE_FILE": str(file),
        "IEXEC_RESULT_REPOSITORY_HOST": "old",
    }
    for name in list(os.environ):
        if name.startswith(("IEXEC_", "WORKERPOOL_")):
            monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return load(environ)


def test_without_a_file_the_settings_stay() -> None:
    settings = load({})
    assert live_settings.read(settings) is settings


def test_the_file_replaces_the_variables_of_the_environment(settings: CoreSettings, file: Path) -> None:
    file.write_text(
        f"# the proxy moved\n\nIEXEC_RESULT_REPOSITORY_URL=http://new:13200\nIEXEC_WORKERS_WHITELIST = {WALLET}\n"
    )
    found = live_settings.read(settings)
    assert found.url_of("result_proxy") == "http://new:13200"
    assert found.whitelist == (WALLET,)
    file.write_text("")
    assert live_settings.read(settings).url_of("result_proxy") == "http://old:13200"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"IEXEC_RESULT_REPOSITORY_URL http://new:13200", "line 1"),
        (b"\nPOOL_ADDRESS=0x", "line 2"),
        (b"IEXEC_RESULT_REPOSITORY_URL=no url", "IEXEC_RESULT_REPOSITORY_URL"),
        (b"IEXEC_WORKERS_WHITELIST=0x12", "IEXEC_WORKERS_WHITELIST"),
        (b"\xff\xfe", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_problem(
    settings: CoreSettings, file: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(LiveFileError, match=words):
        live_settings.read(settings)


async def test_a_hangup_reads_the_file_again_and_a_bad_file_keeps_the_settings(
    settings: CoreSettings, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied: list[CoreSettings] = []
    reads: asyncio.Queue[None] = asyncio.Queue()
    original = live_settings.read

    def counted(found: CoreSettings) -> CoreSettings:
        reads.put_nowait(None)
        return original(found)

    monkeypatch.setattr(live_settings, "read", counted)
    stop = live_settings.on_hangup(settings, applied.append)
    for content in ("nonsense", "IEXEC_RESULT_REPOSITORY_URL=http://new:13200"):
        file.write_text(content)
        os.kill(os.getpid(), signal.SIGHUP)
        async with asyncio.timeout(PATIENCE_S):
            await reads.get()
    assert [found.url_of("result_proxy") for found in applied] == ["http://new:13200"]
    stop()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


async def test_a_hangup_without_a_file_changes_nothing() -> None:
    applied: asyncio.Queue[CoreSettings] = asyncio.Queue()
    stop = live_settings.on_hangup(load({}), applied.put_nowait)
    os.kill(os.getpid(), signal.SIGHUP)
    seen = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, seen.set)
    await seen.wait()
    assert applied.empty()
    stop()

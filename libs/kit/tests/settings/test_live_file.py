"""The file of live settings: it replaces variables of the environment, and a wrong one changes nothing."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from workerpool_kit.settings.base import Settings, env
from workerpool_kit.settings.environment import load
from workerpool_kit.settings.live_file import LiveFileError, on_hangup, read_live

LIVE = ("SHOP_PRICE", "SHOP_OPEN")


class ShopSettings(Settings):
    """Settings of a process that sells something."""

    price: int = env("SHOP_PRICE", 1, doc="a price")
    is_open: bool = env("SHOP_OPEN", True, doc="whether it sells")
    name: str = env("SHOP_NAME", "shop", doc="a name")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOP_PRICE", "5")
    monkeypatch.setenv("SHOP_NAME", "corner")
    return tmp_path / "live.env"


def read(path: Path | None) -> ShopSettings:
    return read_live(load(ShopSettings), path, "SHOP_FILE", LIVE)


def test_the_file_replaces_what_it_names_and_nothing_else(file: Path) -> None:
    assert read(None).price == 5
    file.write_text("# cheaper\n\nSHOP_PRICE = 3\n")
    assert (read(file).price, read(file).is_open, read(file).name) == (3, True, "corner")
    file.write_text("")
    assert read(file).price == 5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"SHOP_NAME=other", "line 1: expected NAME=value with one of SHOP_PRICE, SHOP_OPEN"),
        (b"\nSHOP_PRICE 3", "line 2"),
        (b"SHOP_PRICE=much", "SHOP_PRICE"),
        (b"\xff", "check SHOP_FILE"),
        (None, "check SHOP_FILE"),
    ],
)
def test_a_wrong_file_is_refused_with_its_problem(file: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(LiveFileError, match=words):
        read(file)


async def test_a_hangup_applies_a_good_file_and_keeps_the_settings_with_a_wrong_one(file: Path) -> None:
    applied: list[int] = []
    reads = asyncio.Event()

    def counted() -> ShopSettings:
        reads.set()
        return read(file)

    stop = on_hangup(file, "SHOP_FILE", "the shop", counted, lambda found: applied.append(found.price))
    for content, expected in (("SHOP_PRICE=2", [2]), ("SHOP_PRICE=x", [2]), ("SHOP_PRICE=4", [2, 4])):
        file.write_text(content)
        reads.clear()
        os.kill(os.getpid(), signal.SIGHUP)
        async with asyncio.timeout(20):
            await reads.wait()
        assert applied == expected
    stop()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL

"""The live file of the publisher: a price replaces a range, and only what is sold may change."""

import os
from pathlib import Path

import pytest
from workerpool_kit.process import StartupError
from workerpool_kit.settings.environment import load
from workerpool_kit.settings.live_file import LiveFileError
from workerpool_order_publisher import live_settings
from workerpool_order_publisher.settings import OrderPublisherSettings

from services.order_publisher.tests.test_settings import REQUIRED

BUYER = "0x" + "12" * 20


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "live.env"
    for name in [
        name for name in os.environ if name.startswith(("ORDER_PUBLISHER_", "IEXEC_", "WORKERPOOL_"))
    ]:
        monkeypatch.delenv(name)
    ranges = {"WORKERPOOL_PRICE_MIN": "5", "WORKERPOOL_PRICE_MAX": "9"}
    for name, value in (REQUIRED | ranges | {"ORDER_PUBLISHER_LIVE_FILE": str(path)}).items():
        monkeypatch.setenv(name, value)
    return path


def test_a_price_of_the_file_replaces_the_range_of_the_environment(file: Path) -> None:
    file.write_text(
        f"WORKERPOOL_PRICE=7\nORDER_PUBLISHER_PAUSED=true\nORDER_PUBLISHER_REQUESTER_RESTRICT={BUYER}\n"
    )
    settings = load(OrderPublisherSettings)
    assert settings.prices == (5, 9)
    found = live_settings.read(settings)
    assert (found.prices, found.paused, found.requester_restrict) == ((7, 7), True, BUYER)
    file.write_text("WORKERPOOL_PRICE_MIN=1\nWORKERPOOL_PRICE_MAX=2\n")
    assert live_settings.read(found).prices == (1, 2)


@pytest.mark.parametrize("line", ["TAG=0x1", "WORKERPOOL_PRICE=-1", "WORKERPOOL_PRICE_MIN=1"])
def test_a_wrong_file_ends_the_start_and_is_refused_later(file: Path, line: str) -> None:
    file.write_text(line)
    settings = load(OrderPublisherSettings)
    with pytest.raises(StartupError):
        live_settings.read_at_start(settings)
    with pytest.raises(LiveFileError):
        live_settings.read(settings)

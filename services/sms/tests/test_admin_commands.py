"""The commands about stored secrets: what they print and refuse. `process/test_process.py` runs them at an SMS."""

from collections.abc import Mapping
from typing import Any

import pytest
from workerpool_devnet.processes.ports import free_port
from workerpool_sms import admin_commands
from workerpool_sms.admin_commands import remove_secrets, secret_owners

from services.sms.tests.test_settings import REQUIRED

WALLETS = [f"0x{number:040x}" for number in range(5)]


def owner(wallet: str, deposit: str | None) -> dict[str, Any]:
    return {"wallet": wallet, "secrets": 3, "bytes": 900, "kinds": {"web2": 3}, "deposit": deposit}


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, str]]:
    """Return the parameters of the calls to an SMS with five wallets on three pages."""
    asked: list[Mapping[str, str]] = []

    def call(_settings: object, method: str, parameters: Mapping[str, str]) -> Any:
        assert method == "GET"
        asked.append(parameters)
        first = int(parameters["pageToken"] or 0)
        page = [
            owner(wallet, None if wallet == WALLETS[0] else "1500000000") for wallet in WALLETS[first:][:2]
        ]
        return {"owners": page, "nextPageToken": str(first + 2) if first + 2 < len(WALLETS) else ""}

    monkeypatch.setattr(admin_commands, "_call", call)
    return asked


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (REQUIRED | {"IEXEC_SMS_ADMIN_API_KEY": "key"}).items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("limit", "calls"), [("1", 1), ("3", 2), ("0", 3), ("9", 3)])
def test_as_many_wallets_are_listed_as_asked_for(
    pages: list[Mapping[str, str]], capsys: pytest.CaptureFixture[str], limit: str, calls: int
) -> None:
    assert secret_owners(["--limit", limit]) == 0
    printed = capsys.readouterr().out
    wanted = int(limit) or len(WALLETS)
    assert [wallet in printed for wallet in WALLETS] == [place < wanted for place in range(len(WALLETS))]
    assert len(pages) == calls


def test_the_deposit_is_in_rlc_or_unknown(
    pages: list[Mapping[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert secret_owners([]) == 0
    _, first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.split() == [WALLETS[0], "3", "900", "unknown", "3", "web2"]
    assert second.split() == [WALLETS[1], "3", "900", "1.5", "RLC", "3", "web2"]


def test_missing_settings_and_an_sms_that_is_away_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IEXEC_SMS_PORT", str(free_port()))
    assert remove_secrets([WALLETS[1]]) == 1
    assert "no SMS answers at 127.0.0.1" in capsys.readouterr().err
    monkeypatch.delenv("IEXEC_SMS_ADMIN_API_KEY")
    assert secret_owners([]) == 1
    assert "IEXEC_SMS_ADMIN_API_KEY" in capsys.readouterr().err
    monkeypatch.delenv("IEXEC_CHAIN_ID")
    assert secret_owners([]) == 2
    assert "IEXEC_CHAIN_ID" in capsys.readouterr().err

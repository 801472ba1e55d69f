"""What reaches the log: events with fields, in JSON outside a terminal, secrets redacted."""

import json
import logging
import sys

import pytest
from workerpool_kit import logs


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_event_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("core", "INFO")
    logs.get_logger().info("task.finalized", task="0x1")
    logs.get_logger().debug("unheard")
    (event,) = lines(capsys)
    assert (event["event"], event["task"], event["service"], event["level"]) == (
        "task.finalized",
        "0x1",
        "core",
        "info",
    )


def test_secrets_are_hidden_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("core", "INFO")
    logs.get_logger().info(
        "e",
        wallet_password="s3cret",
        headers={"Authorization": "s3cret"},
        keys=[{"private_key": "s3cret"}],
        token="s3cret",
        uri="mongodb://user:s3cret@host/db",
        token_id=7,
    )
    text = capsys.readouterr().err
    assert "s3cret" not in text
    assert json.loads(text)["token_id"] == 7


@pytest.mark.parametrize("terminal", [True, False])
def test_traceback_shows_no_values_of_variables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    logs.configure("core", "INFO")

    def connect(password: str) -> None:
        raise ConnectionError(f"no answer from mongodb://user:{password}@host/db")

    secret = str(2**70)
    try:
        connect(secret)
    except ConnectionError as error:
        logs.get_logger().error("e", exc_info=error)
    text = capsys.readouterr().err
    assert "in connect" in text
    assert "no answer from mongodb://***@host/db" in text
    assert secret not in text


def test_records_of_libraries_become_events(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("core", "INFO")
    logging.getLogger("pymongo").info("chatter")
    logging.getLogger("pymongo").warning("slow %s", "query")
    (event,) = lines(capsys)
    assert (event["logger"], event["message"], event["level"]) == ("pymongo", "slow query", "warning")

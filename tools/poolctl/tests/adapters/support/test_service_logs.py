"""Logs of services in files: the last lines, further ones, and a replaced file."""

import asyncio
from pathlib import Path

import pytest
from patience import PATIENCE_S
from poolctl.adapters.support.service_logs import ComposeLogs, FileLogs, logs_of
from poolctl.errors import CommandFailed, NotFound


async def test_the_last_lines_are_read(tmp_path: Path) -> None:
    (tmp_path / "core.log").write_text("".join(f"line {number}\n" for number in range(10)))
    assert await FileLogs(tmp_path).last("core", 2) == ["line 8", "line 9"]
    assert await FileLogs(tmp_path).last("core", 0) == []


async def test_a_name_with_hyphens_finds_the_file_with_underscores(tmp_path: Path) -> None:
    (tmp_path / "order_publisher.log").write_text("one\n")
    assert await FileLogs(tmp_path).last("order-publisher", 5) == ["one"]


async def test_an_unknown_service_error_lists_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "core.log").touch()
    with pytest.raises(NotFound) as failed:
        await FileLogs(tmp_path).last("cor", 5)
    assert failed.value.next_step == "choose from: core"


async def test_further_lines_follow_also_after_the_file_was_replaced(tmp_path: Path) -> None:
    log = tmp_path / "core.log"
    log.write_text("old 1\nold 2\n")
    lines = FileLogs(tmp_path).follow("core", 1)
    async with asyncio.timeout(PATIENCE_S):
        assert await anext(lines) == "old 2"
        with log.open("a") as file:
            following = asyncio.ensure_future(anext(lines))
            file.write("half")
            file.flush()
            file.write(" a line\n")
            file.flush()
            assert await following == "half a line"
        new = tmp_path / "new"
        new.write_text("after the rotation\n")
        following = asyncio.ensure_future(anext(lines))
        new.replace(log)
        assert await following == "after the rotation"


def test_a_folder_of_logs_takes_precedence_over_compose(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").touch()
    assert isinstance(logs_of(tmp_path, None), ComposeLogs)
    assert isinstance(logs_of(tmp_path, tmp_path), FileLogs)
    with pytest.raises(CommandFailed, match="no logs are known"):
        logs_of(tmp_path / "elsewhere", None)

"""A SQLite file: one schema, one holder where that is asked, and a full volume."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from small_volumes import MountVolume
from workerpool_kit.errors import WorkerpoolError
from workerpool_kit.sqlite_file import SqliteFile, Work, execute_script

SCHEMA = "CREATE TABLE notes (text TEXT);"


class Unusable(WorkerpoolError):
    """The error of the file in these tests."""


def file(
    path: Path,
    *,
    version: int = 1,
    only_holder: str = "",
    failures: list[Any] | None = None,
    upgrades: dict[int, Work] | None = None,
) -> SqliteFile:
    failed = [] if failures is None else failures
    return SqliteFile(
        path,
        schema=SCHEMA,
        version=version,
        unusable=Unusable,
        on_failure=failed.append,
        only_holder=only_holder,
        upgrades=upgrades or {},
    )


def notes(connection: sqlite3.Connection) -> list[str]:
    return [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY rowid")]


async def test_what_was_written_is_found_by_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "notes.db"
    first = file(path)
    assert await first.open(notes) == []
    await first.write(("INSERT INTO notes VALUES (?)", ("a",)), ("INSERT INTO notes VALUES (?)", ("b",)))
    assert await first.run(notes) == ["a", "b"]
    await first.close()
    second = file(path)
    assert await second.open(notes) == ["a", "b"]
    await second.close()


async def test_work_for_later_goes_with_the_next_or_by_itself(tmp_path: Path) -> None:
    written = file(tmp_path / "notes.db")
    await written.open(notes)
    later = written.write_later(("INSERT INTO notes VALUES (?)", ("a",)))
    assert await written.run(notes) == ["a"], "it precedes what is given after it"
    await later
    async with asyncio.timeout(PATIENCE_S):
        await written.write_later(("INSERT INTO notes VALUES (?)", ("b",)))
    assert await written.run(notes) == ["a", "b"]
    await written.close()


async def test_what_may_wait_less_takes_with_it_what_may_wait_longer(tmp_path: Path) -> None:
    written = file(tmp_path / "notes.db")
    await written.open(notes)
    long = written.write_later(("INSERT INTO notes VALUES (?)", ("a",)), within_s=10 * PATIENCE_S)
    short = written.write_later(("INSERT INTO notes VALUES (?)", ("b",)), within_s=0.01)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(short, long)
    assert await written.run(notes) == ["a", "b"]
    await written.close()


async def test_callers_learn_of_their_work_in_the_order_in_which_they_gave_it(tmp_path: Path) -> None:
    written, done = file(tmp_path / "notes.db"), list[str]()
    await written.open(notes)
    for name in ("a", "b", "c"):
        write = written.write if name == "c" else written.write_later
        answer = write(("INSERT INTO notes VALUES (?)", (name,)))
        answer.add_done_callback(lambda _, name=name: done.append(name))  # type: ignore[misc]
    async with asyncio.timeout(PATIENCE_S):
        while len(done) < 3:
            await asyncio.sleep(0)
    assert done == ["a", "b", "c"]
    await written.close()


async def test_the_close_writes_what_was_left_for_later(tmp_path: Path) -> None:
    first, second = (file(tmp_path / "notes.db") for _ in range(2))
    await first.open(notes)
    first.write_later(("INSERT INTO notes VALUES (?)", ("a",)))
    await first.close()
    assert await second.open(notes) == ["a"]
    await second.close()


async def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    for version in (1, 2):
        opened = file(path, version=version)
        if version == 1:
            await opened.open(notes)
        else:
            with pytest.raises(Unusable, match=r"another version of this program wrote it \(schema 1\)"):
                await opened.open(notes)
        await opened.close()


def add_authors(connection: sqlite3.Connection) -> None:
    execute_script(connection, "ALTER TABLE notes ADD author TEXT; CREATE TABLE authors (name TEXT);")
    connection.execute("UPDATE notes SET author = 'unknown'")


def capitalise(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE notes SET author = upper(author)")


def authors(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT text, author FROM notes ORDER BY rowid").fetchall()


async def written_by_version_1(path: Path) -> None:
    first = file(path)
    await first.open(notes)
    await first.write(("INSERT INTO notes VALUES (?)", ("a",)))
    await first.close()


@pytest.mark.parametrize("only_holder", ["", "there is one wallet"])
async def test_a_file_of_an_earlier_version_is_upgraded_step_by_step(
    tmp_path: Path, only_holder: str
) -> None:
    path = tmp_path / "notes.db"
    await written_by_version_1(path)
    steps: dict[int, Work] = {1: add_authors, 2: capitalise}
    for _ in range(2):
        upgraded = file(path, version=3, only_holder=only_holder, upgrades=steps)
        assert await upgraded.open(authors) == [("a", "UNKNOWN")]
        await upgraded.close()


async def test_a_file_stays_as_it_is_when_a_step_fails(tmp_path: Path) -> None:
    def fails(connection: sqlite3.Connection) -> None:
        add_authors(connection)
        raise ValueError("a record is damaged")

    path = tmp_path / "notes.db"
    await written_by_version_1(path)
    failing = file(path, version=2, upgrades={1: fails})
    with pytest.raises(Unusable, match="a record is damaged"):
        await failing.open(notes)
    await failing.close()
    again = file(path)
    assert await again.open(notes) == ["a"]
    await again.close()


async def test_a_file_without_a_way_to_this_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    await written_by_version_1(path)
    opened = file(path, version=3, upgrades={2: capitalise})
    with pytest.raises(Unusable, match=r"another version of this program wrote it \(schema 1\)"):
        await opened.open(notes)
    await opened.close()


async def test_one_holder_keeps_others_out_until_it_closes(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    holder, other = (file(path, only_holder="there is one wallet") for _ in range(2))
    await holder.open(notes)
    with pytest.raises(Unusable, match="another process holds it; there is one wallet"):
        await other.open(notes)
    await other.close()
    await holder.close()
    next_holder = file(path, only_holder="there is one wallet")
    await next_holder.open(notes)
    await next_holder.close()


async def test_content_that_the_reader_refuses_is_named_with_the_file(tmp_path: Path) -> None:
    refused = file(tmp_path / "notes.db")

    def read(_connection: sqlite3.Connection) -> None:
        raise ValueError("it is of another pool")

    with pytest.raises(Unusable, match=r"notes\.db cannot be opened: it is of another pool"):
        await refused.open(read)
    await refused.close()


async def test_a_process_that_ends_waits_for_no_room(small_volume: MountVolume) -> None:
    volume, failures = small_volume(512 << 10), list[Any]()
    full = file(volume.path / "notes.db", failures=failures)
    await full.open(notes)
    volume.fill()
    written = [full.write(("INSERT INTO notes VALUES (?)", ("x" * 8192,))) for _ in range(20)]
    async with asyncio.timeout(PATIENCE_S):
        await full.close()
    assert isinstance(written[-1].exception(), Unusable)
    assert len(failures) == 1

"""The cursor of the chain: reset by a command, or deleted by an operator."""

import asyncio
import json
import sys
from typing import Any

import pymongo
from patience import PATIENCE_S
from workerpool_devnet.processes.mongod import Database as Mongod

from services.core.tests.process.core_process import CoreProcess, Start, stopped


async def run_command(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run `workerpool-core` with arguments; return its exit code and its output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "workerpool_core",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode is not None
    return process.returncode, output.decode()


async def followed_from(core: CoreProcess) -> int:
    """Return the first block that a core follows, then stop it."""
    await core.up()
    (line,) = [line for line in (await stopped(core)).splitlines() if "follower.started" in line]
    return int(json.loads(line)["block"]) + 1


async def test_reset_cursor_lets_the_next_start_follow_from_a_block(
    start: Start, environment: dict[str, str]
) -> None:
    assert await followed_from(await start()) == 0
    code, output = await run_command(environment, "reset-cursor", "--to", "3")
    assert code == 0, output
    assert "from block 3" in output
    assert await followed_from(await start(IEXEC_START_BLOCK_NUMBER="1")) == 3


async def test_reset_cursor_is_refused_while_core_runs(start: Start, environment: dict[str, str]) -> None:
    core = await start()
    await core.up()
    code, output = await run_command(environment, "reset-cursor", "--to", "3")
    assert code == 1
    assert "stop it first" in output
    assert core.process.returncode is None


async def test_reset_cursor_explains_itself(environment: dict[str, str]) -> None:
    code, output = await run_command(environment, "reset-cursor", "--help")
    assert code == 0
    assert "--to N" in output
    code, output = await run_command(environment, "reset-cursor", "--to", "-1")
    assert code == 2
    assert "--to" in output


async def test_a_deleted_cursor_lets_the_next_start_follow_from_the_start_block(
    start: Start, mongod: Mongod, database_name: str
) -> None:
    core = await start()
    with pymongo.MongoClient[dict[str, Any]](mongod.uri) as client:
        async with asyncio.timeout(PATIENCE_S):
            while client[database_name]["cursor"].find_one() is None:
                await asyncio.sleep(0.05)
        await stopped(core)
        assert client[database_name]["cursor"].delete_many({}).deleted_count == 1
    assert await followed_from(await start(IEXEC_START_BLOCK_NUMBER="2")) == 2


async def test_an_ignored_start_block_is_logged(start: Start, environment: dict[str, str]) -> None:
    code, output = await run_command(environment, "reset-cursor", "--to", "3")
    assert code == 0, output
    core = await start(IEXEC_START_BLOCK_NUMBER="2")
    await core.up()
    log = await stopped(core)
    assert "start_block.ignored" in log
    assert "reset-cursor" in log

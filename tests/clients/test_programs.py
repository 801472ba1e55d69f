"""The clients of all languages follow the same tasks of one pool, and say the same."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from contract.access_table import OPERATOR
from e2e.requester import Requester
from patience import PATIENCE_S
from workerpool_client import WorkerpoolError, connect, replicate_status_name
from workerpool_devnet.devnet import Devnet
from workerpool_poco.protocol.ids import TaskId
from workerpool_protocol.core.v1 import pool_service_pb2, task_pb2

from .conftest import Entrance
from .programs import LANGUAGES, Ended, ended, examples, readme_program, started

pytestmark = [pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

FAILED = 3
ENDED = {"COMPLETED", "FAILED", "ABORTED"}
SCRIPT = (
    "/bin/sh -c 'echo of the app; echo x > /iexec_out/r; "
    """echo "{\\"deterministic-output-path\\": \\"/iexec_out/r\\"}" > /iexec_out/computed.json'"""
)
UNKNOWN = "0x" + "ab" * 32
SHAPE = re.compile(
    r"pool 0x[0-9a-fA-F]{40} version \d+\.\d+\.\d+\n"
    r"worker 0x[0-9a-fA-F]{40} name=\S+ slots=\d+ connected\n"
    r"workers 1\n"
    r"task 0x[0-9a-f]{64}\n"
    r"  RECEIVED block [1-9]\d*\n"
    r"(  [A-Z_]+( block [1-9]\d*)?\n)+"
    r"(    0x[0-9a-fA-F]{40} [A-Z_]+( [A-Z_0-9]+)?\n)+"
)
ERROR = re.compile(r"(?P<reason>[A-Z][A-Z0-9_]*): .+; .+")


async def wait_until(net: Devnet, task_id: TaskId, holds: Callable[[task_pb2.Task], bool]) -> None:
    """Wait until core knows a task and a condition holds for it."""

    def looked() -> bool:
        with connect(net.services["core"].grpc) as client:
            try:
                return holds(client.task(task_id))
            except WorkerpoolError as error:
                if error.reason != "UNKNOWN_TASK":
                    raise
                return False

    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(looked):
            await asyncio.sleep(0.1)


async def settled(net: Devnet, task_id: TaskId) -> None:
    """Wait until the replicates of a task have ended too: the worker cleans up after the task's end."""
    await wait_until(
        net, task_id, lambda task: {replicate_status_name(each.status) for each in task.replicates} <= ENDED
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def completed(requester: Requester) -> TaskId:
    """Return a task that has completed, as its worker has."""
    (task,) = await requester.buy(SCRIPT)
    await requester.follow([task])
    await settled(requester.net, task)
    return task


def same(found: dict[str, Ended], code: int) -> str:
    """Return the output of all programs, which ended with this code and printed the same."""
    for language, program in found.items():
        assert program.code == code, f"{language}: {program}"
    (output,) = {program.output for program in found.values()}
    return output


async def test_the_program_of_each_readme_follows_a_task_to_its_end(
    requester: Requester,
    entrance: Entrance,
    operators: Any,
    tmp_path: Path,
) -> None:
    """The task waits for a drained worker until every program has seen it."""
    wallet = requester.net.worker_wallets[0].address
    await operators.DrainWorker(pool_service_pb2.DrainWorkerRequest(wallet_address=wallet))
    (task,) = await requester.buy(SCRIPT)
    await wait_until(requester.net, task, lambda _: True)
    programs = {
        language: await started(
            language,
            "run-readme",
            readme_program(language, tmp_path),
            WORKERPOOL_TARGET=entrance.clear,
            TASK_ID=task,
        )
        for language in LANGUAGES
    }
    firsts = []
    for program in programs.values():
        assert program.stdout is not None
        firsts.append(await asyncio.wait_for(program.stdout.readline(), PATIENCE_S))
    await operators.UndrainWorker(pool_service_pb2.UndrainWorkerRequest(wallet_address=wallet))
    for (language, program), first in zip(programs.items(), firsts, strict=True):
        end = await ended(program)
        lines = [first.decode().strip(), *end.output.splitlines()]
        assert end.code == 0, f"{language}: {end}"
        assert lines[0] in {"RECEIVED", "INITIALIZING", "INITIALIZED"}, f"{language}: {lines}"
        assert lines[-1] == "COMPLETED", f"{language}: {lines}"


async def test_the_examples_print_the_same_for_a_completed_task(
    entrance: Entrance, completed: TaskId
) -> None:
    output = same(await examples(entrance.clear, completed), 0)
    assert (found := SHAPE.match(output)), output
    assert re.fullmatch(r"COMPLETED \S{10,}\n", output[found.end() :]), output


async def test_the_examples_work_over_tls_as_operator(entrance: Entrance, completed: TaskId) -> None:
    operator = ("--ca", entrance.authority, "--user", OPERATOR, "--password-file", entrance.password)
    assert same(await examples(entrance.secure, completed, *operator), 0) == same(
        await examples(entrance.clear, completed), 0
    )


async def test_the_examples_print_why_a_task_failed(requester: Requester, entrance: Entrance) -> None:
    (task,) = await requester.buy("/bin/sh -c 'exit 4'")
    await requester.follow([task])
    await settled(requester.net, task)
    output = same(await examples(entrance.clear, task), FAILED)
    assert (found := SHAPE.match(output)), output
    assert re.fullmatch(r"reason APP_FAILED APP: .+\nnext .+\nFAILED -\n", output[found.end() :]), output


@pytest.mark.skipif("typescript" not in LANGUAGES, reason="NO TYPESCRIPT: its example was not run")
async def test_the_requester_reads_logs_with_a_signed_challenge(
    entrance: Entrance, completed: TaskId
) -> None:
    plain = await ended(await started("typescript", "run-example", entrance.clear, completed))
    signed = await ended(
        await started(
            "typescript", "run-example", entrance.clear, completed, "--wallet-key-file", entrance.key
        )
    )
    assert (signed.code, plain.code) == (0, 0), signed
    assert signed.output.startswith(f"{plain.output}logs\n")
    assert "of the app" in signed.output.removeprefix(plain.output)


BAD_INPUT: dict[str, tuple[str, str, set[str]]] = {
    "a wrong address": ("127.0.0.1:1", UNKNOWN, {"UNREACHABLE"}),
    "no TLS to a port with TLS": (
        "http://{secure}",
        UNKNOWN,
        {"UNREACHABLE", "TLS_REQUIRED", "TLS_FAILED"},
    ),
    "TLS to a port without": ("https://{clear}", UNKNOWN, {"UNREACHABLE", "TLS_FAILED"}),
    "an unknown authority": ("https://{secure}", UNKNOWN, {"UNREACHABLE", "TLS_FAILED"}),
    "an unknown task": ("{clear}", UNKNOWN, {"UNKNOWN_TASK"}),
    "a malformed id": ("{clear}", "0x12", {"INVALID_ARGUMENT"}),
}
"""Target, task id, and the reasons that a client may give."""


@pytest.mark.parametrize("name", BAD_INPUT)
async def test_bad_input_ends_with_reason_and_next_step(entrance: Entrance, name: str) -> None:
    target, task, reasons = BAD_INPUT[name]
    target = target.format(clear=entrance.clear, secure=entrance.secure.removeprefix("https://"))
    refused(await examples(target, task), reasons)


async def test_a_wrong_password_ends_with_reason_and_next_step(entrance: Entrance, tmp_path: Path) -> None:
    guess = tmp_path / "password"
    guess.write_text("guess\n")
    given = ("--user", OPERATOR, "--password-file", guess)
    refused(await examples(entrance.clear, UNKNOWN, *given), {"UNAUTHENTICATED"})


async def test_a_password_is_not_sent_in_clear_to_another_host(entrance: Entrance) -> None:
    given = ("--user", OPERATOR, "--password-file", entrance.password)
    refused(await examples("http://192.0.2.1:23000", UNKNOWN, *given), {"CLEARTEXT_REFUSED"})


def refused(found: dict[str, Ended], reasons: set[str]) -> None:
    """Fail unless each program ended with one of the reasons, its cause and a next step."""
    for language, program in found.items():
        said = ERROR.fullmatch(program.last_error)
        assert said, f"{language}: {program}"
        assert said["reason"] in reasons, f"{language}: {program}"
        assert program.code == 1, f"{language}: {program}"

"""Failed calls as sentences with the next step and the exit code."""

import grpc
import pytest
from poolctl.adapters.rpc_errors import answered, explained
from poolctl.errors import (
    EXIT_NOT_FOUND,
    EXIT_PROBLEM,
    EXIT_REFUSED,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    CommandFailed,
)
from workerpool_devnet.processes.ports import free_service_ports

CODE = grpc.StatusCode


@pytest.mark.parametrize(
    ("code", "exit_code", "word"),
    [
        (CODE.UNAUTHENTICATED, EXIT_REFUSED, "IEXEC_CORE_OPERATOR_USERNAME"),
        (CODE.PERMISSION_DENIED, EXIT_REFUSED, "IEXEC_CORE_OPERATOR_USERNAME"),
        (CODE.NOT_FOUND, EXIT_NOT_FOUND, "poolctl tasks"),
        (CODE.INVALID_ARGUMENT, EXIT_USAGE, "argument"),
        (CODE.UNIMPLEMENTED, EXIT_PROBLEM, "update core"),
        (CODE.INTERNAL, EXIT_PROBLEM, "log of core"),
    ],
)
def test_an_answer_ends_the_command_with_its_exit_code(
    code: grpc.StatusCode, exit_code: int, word: str
) -> None:
    failed = answered("core", "http://core:13000", code, "details")
    assert failed.exit_code == exit_code
    assert word in failed.next_step


async def test_a_service_that_is_away_is_named_with_the_cause() -> None:
    url = f"http://127.0.0.1:{free_service_ports().http}"
    error = grpc.aio.AioRpcError(
        CODE.DEADLINE_EXCEEDED, grpc.aio.Metadata(), grpc.aio.Metadata(), "Deadline Exceeded", None
    )
    failed = await explained("core", url, error)
    assert isinstance(failed, CommandFailed)
    assert failed.exit_code == EXIT_UNREACHABLE
    assert "connection refused" in failed.message
    assert "IEXEC_CORE_URL" in failed.next_step

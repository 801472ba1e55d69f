"""Calls of the client against a server with the pool's own guard and error map."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import grpc
import pytest
from certificates import Authority, identity_of
from workerpool_client import (
    Client,
    WorkerpoolError,
    basic,
    bearer,
    connect,
    task_status_name,
)
from workerpool_client.channel import ATTEMPTS, _Defaults, idempotent_reads
from workerpool_client.client import DEADLINE_S, _pause_s
from workerpool_kit.errors import Kind
from workerpool_kit.errors import WorkerpoolError as ServerError
from workerpool_protocol.core.v1 import pool_service_pb2, statuses_pb2, task_service_pb2
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceStub

from .pool_double import PASSWORD, TASK, WALLET, PoolDouble, started

_Found = TypeVar("_Found")


class Away(ServerError):
    """The pool does not answer for a moment."""

    kind = Kind.UNAVAILABLE
    reason = "SERVICE_STARTING"


class Unknown(ServerError):
    """The pool has no such task."""

    kind = Kind.NOT_FOUND
    reason = "UNKNOWN_TASK"


class Ending(grpc.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]
    """Returns a call when it has ended, as a quick server makes it."""

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        call = continuation(client_call_details, request)
        call.exception()
        return call


async def called(target: str, use: Callable[[Client], _Found], **options: Any) -> _Found:
    """Connect in a thread, as a program does, and return what `use` returns."""

    def run() -> _Found:
        with connect(target, **options) as client:
            return use(client)

    return await asyncio.to_thread(run)


def read_refusals(client: Client) -> object:
    """Make a call that only an operator may make."""
    return client.pool.ListRefusals(pool_service_pb2.ListRefusalsRequest())


class TestReads:
    async def test_workers_of_all_pages_are_yielded_in_order(self, target: str, double: PoolDouble) -> None:
        double.pages = [["0x1", "0x2"], [], ["0x3"]]
        found = await called(target, lambda client: [each.wallet_address for each in client.workers()])
        assert found == ["0x1", "0x2", "0x3"]

    async def test_a_unary_call_has_a_deadline_and_a_watch_has_none(
        self, target: str, double: PoolDouble
    ) -> None:
        await called(target, lambda client: (client.task(TASK), list(client.watch_task(TASK))))
        (first, left), (second, none) = double.calls
        assert (first, second, none) == ("GetTask", "WatchTask", None)
        assert left is not None
        # On its way a deadline is rounded up.
        assert 0 < left < DEADLINE_S + 1

    async def test_a_read_is_repeated_while_the_pool_is_unavailable(
        self, target: str, double: PoolDouble
    ) -> None:
        double.failures = [Away("not yet; retry in a few seconds")] * 3
        assert (await called(target, lambda client: client.task(TASK))).task_id == TASK
        assert [name for name, _ in double.calls] == ["GetTask"] * 4

    async def test_a_read_of_a_pool_that_stays_away_ends_with_the_pools_words(
        self, target: str, double: PoolDouble
    ) -> None:
        double.failures = [Away("not yet; retry in a few seconds")] * 9
        with pytest.raises(WorkerpoolError, match=r"^SERVICE_STARTING: not yet; retry in a few seconds$"):
            await called(target, lambda client: client.task(TASK))
        assert len(double.calls) == 4

    async def test_a_stub_called_for_a_future_gives_the_answer_or_the_error(
        self, target: str, double: PoolDouble
    ) -> None:
        request = task_service_pb2.GetTaskRequest(task_id=TASK)
        answer = await called(target, lambda client: client.tasks.GetTask.future(request).result())
        assert answer.task.task_id == TASK
        double.failures = [Unknown("no deal has it; check the id")]
        with pytest.raises((WorkerpoolError, grpc.RpcError), match="no deal has it"):
            await called(target, lambda client: client.tasks.GetTask.future(request).result())

    async def test_a_future_that_ended_before_it_was_returned_gives_its_answer(self, target: str) -> None:
        request = task_service_pb2.GetTaskRequest(task_id=TASK)

        def run() -> task_service_pb2.GetTaskResponse:
            with grpc.insecure_channel(target) as plain:
                channel = grpc.intercept_channel(plain, _Defaults(None, DEADLINE_S), Ending())
                stub: Any = TaskServiceStub(channel)
                answer: task_service_pb2.GetTaskResponse = stub.GetTask.future(request).result()
                return answer

        assert (await asyncio.to_thread(run)).task.task_id == TASK

    async def test_other_errors_are_not_repeated(self, target: str, double: PoolDouble) -> None:
        double.failures = [Unknown("no deal has it; check the id and the pool", details={"task": TASK})]
        with pytest.raises(WorkerpoolError) as failed:
            await called(target, lambda client: client.task(TASK))
        assert str(failed.value) == "UNKNOWN_TASK: no deal has it; check the id and the pool"
        assert (failed.value.cause, failed.value.next_step) == ("no deal has it", "check the id and the pool")
        assert (failed.value.code, failed.value.details) == (grpc.StatusCode.NOT_FOUND, {"task": TASK})
        assert len(double.calls) == 1

    async def test_a_malformed_id_is_refused_with_the_field(self, target: str) -> None:
        with pytest.raises(WorkerpoolError, match=r"^INVALID_ARGUMENT: task_id: .+; correct the request$"):
            await called(target, lambda client: client.task("0x12"))

    def test_nothing_that_changes_the_pool_is_sent_again(self) -> None:
        repeated = {method for _, method in idempotent_reads()}
        assert {"GetTask", "ListWorkers", "ExplainTask", "ListDeals"} <= repeated
        assert not [name for name in repeated if not name.startswith(("Get", "List", "Explain"))]
        assert "GetTaskLogs" not in repeated


class TestWatch:
    STATUSES = (statuses_pb2.TASK_STATUS_RUNNING, statuses_pb2.TASK_STATUS_COMPLETED)

    def statuses(self, client: Client) -> list[str]:
        return [task_status_name(task.status) for task in client.watch_task(TASK)]

    async def test_a_broken_watch_is_reopened(self, target: str, double: PoolDouble) -> None:
        double.statuses = list(self.STATUSES)
        double.failures = [Away("restarting; retry in a few seconds")]
        assert await called(target, self.statuses) == ["RUNNING", "RUNNING", "COMPLETED"]

    async def test_a_watch_waits_longer_than_a_read(self, target: str, double: PoolDouble) -> None:
        double.statuses = list(self.STATUSES)
        double.failures = [Away("restarting; retry in a few seconds")] * (ATTEMPTS + 1)
        assert (await called(target, self.statuses))[-1] == "COMPLETED"

    async def test_a_pool_that_refuses_for_too_long_ends_the_watch_with_the_time(
        self, target: str, double: PoolDouble
    ) -> None:
        double.failures = [Away("restarting; retry in a few seconds")] * 99
        text = r"^SERVICE_STARTING: restarting \(waited 0\.\d s\); retry in a few seconds$"
        with pytest.raises(WorkerpoolError, match=text):
            await called(target, self.statuses, watch_patience_s=0.4)
        assert len(double.calls) > 1

    async def test_a_pool_that_stays_away_is_unreachable_after_the_patience(
        self, target: str, server: Any
    ) -> None:
        await server.stop(0)
        with pytest.raises(
            WorkerpoolError, match=r"^UNREACHABLE: .+ \(waited \d+\.\d s\); check the address"
        ):
            await called(target, self.statuses, watch_patience_s=0.4)

    async def test_a_watch_survives_a_restart_of_the_server(self, double: PoolDouble) -> None:
        double.statuses, double.holds = [self.STATUSES[0]], asyncio.Event()
        server = await started(double)
        seen: list[str] = []

        def follow(client: Client) -> None:
            seen.extend(task_status_name(task.status) for task in client.watch_task(TASK))

        watching = asyncio.create_task(called(f"127.0.0.1:{server.port}", follow))
        await double.held.wait()
        await server.stop(0)
        # Longer than the retries of a read take.
        await asyncio.sleep(1)
        double.statuses, double.holds = list(self.STATUSES), None
        again = await started(double, server.port)
        try:
            await watching
        finally:
            await again.stop(0.2)
        assert seen == ["RUNNING", "RUNNING", "COMPLETED"]

    def test_pauses_double_up_to_the_longest(self) -> None:
        for failures, planned in (1, 0.1), (2, 0.2), (5, 1.6), (6, 2.0), (5_000, 2.0):
            assert 0.79 * planned < _pause_s(failures, 60) < 1.21 * planned
        assert _pause_s(6, 0.05) == 0.05

    async def test_another_error_ends_the_watch_at_once(self, target: str, double: PoolDouble) -> None:
        double.failures = [Unknown("no deal has it; check the id")]
        with pytest.raises(WorkerpoolError, match=r"^UNKNOWN_TASK: "):
            await called(target, self.statuses)
        assert len(double.calls) == 1

    async def test_a_reader_that_stops_early_ends_the_call(self, target: str, double: PoolDouble) -> None:
        double.statuses = list(self.STATUSES)
        task = await called(target, lambda client: next(client.watch_task(TASK)))
        assert task_status_name(task.status) == "RUNNING"


class TestLogs:
    async def test_each_answer_has_a_challenge_of_its_own(self, target: str, double: PoolDouble) -> None:
        double.logs = {"0x" + "1" * 40: "one", "0x" + "2" * 40: "two"}
        signed: list[str] = []

        def sign(typed_data_json: str) -> str:
            signed.append(typed_data_json)
            return "0x" + str(len(signed)) * 130

        logs = await called(target, lambda client: client.requester_logs(TASK, WALLET, sign))
        assert [each.stdout for each in logs] == ["one", "two"]
        assert signed == ["challenge 1", "challenge 3"]
        assert [name for name, _ in double.calls if "Logs" in name] == ["GetTaskLogs 1", "GetTaskLogs 2"]


class TestCredentials:
    async def test_the_operator_is_admitted(self, target: str) -> None:
        assert await called(target, read_refusals, credentials=basic("ops", PASSWORD)) is not None

    @pytest.mark.parametrize("credentials", [basic("ops", "guess"), bearer("guess"), None])
    async def test_wrong_credentials_are_refused_with_the_next_step(
        self, target: str, credentials: Any
    ) -> None:
        with pytest.raises(WorkerpoolError) as failed:
            await called(target, read_refusals, credentials=credentials)
        assert failed.value.reason == "UNAUTHENTICATED"
        assert failed.value.next_step

    def test_credentials_in_clear_leave_this_host_only_when_allowed(self) -> None:
        remote = "http://192.0.2.1:23000"
        with pytest.raises(WorkerpoolError, match=r"^CLEARTEXT_REFUSED: .+192\.0\.2\.1"):
            connect(remote, basic("ops", PASSWORD))
        connect(remote).close()
        connect(remote, basic("ops", PASSWORD), allow_cleartext=True).close()
        connect("192.0.2.1:443", basic("ops", PASSWORD)).close()


class TestTls:
    async def test_a_call_over_tls_trusts_the_named_authority(
        self, tmp_path: Path, double: PoolDouble
    ) -> None:
        authority = Authority(tmp_path)
        with identity_of(authority.issue()):
            server = await started(double)
            target = f"https://127.0.0.1:{server.port}"
            try:
                task = await called(target, lambda client: client.task(TASK), ca_file=authority.file)
                assert task.task_id == TASK
                with pytest.raises(WorkerpoolError, match=r"^TLS_FAILED: .+; .*CA file"):
                    await called(target, lambda client: client.task(TASK))
                with pytest.raises(WorkerpoolError, match=r"^UNREACHABLE: .+; .*https://"):
                    await called(f"127.0.0.1:{server.port}", lambda client: client.task(TASK))
            finally:
                await server.stop(0.2)

    async def test_mutual_tls_shows_the_certificate(self, tmp_path: Path, double: PoolDouble) -> None:
        authority = Authority(tmp_path)
        files = authority.issue(mutual=True)
        with identity_of(files):
            server = await started(double)
            try:
                task = await called(
                    f"https://127.0.0.1:{server.port}",
                    lambda client: client.task(TASK),
                    ca_file=authority.file,
                    certificate_file=files.certificate,
                    key_file=files.key,
                )
                assert task.task_id == TASK
            finally:
                await server.stop(0.2)

    async def test_tls_to_a_port_in_clear_is_named(self, server: Any) -> None:
        with pytest.raises(WorkerpoolError, match=r"^TLS_FAILED: .+; check that this port speaks TLS"):
            await called(f"https://127.0.0.1:{server.port}", lambda client: client.task(TASK))

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(WorkerpoolError, match=r"^TLS_FAILED: .+absent\.pem cannot be read: .+; correct"):
            connect("https://127.0.0.1:1", ca_file=tmp_path / "absent.pem")


async def test_an_address_where_nothing_listens_is_unreachable(target: str, server: Any) -> None:
    await server.stop(0)
    with pytest.raises(WorkerpoolError, match=r"^UNREACHABLE: .+; check the address and its port"):
        await called(target, lambda client: client.task(TASK))

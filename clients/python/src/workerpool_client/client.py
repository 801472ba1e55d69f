"""The client of a pool: what a requester and an operator read most, and the generated stubs for the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from random import uniform
from typing import Self

import grpc
from workerpool_protocol.core.v1 import pool_service_pb2, reason_pb2, task_pb2, task_service_pb2
from workerpool_protocol.core.v1.deal_service_pb2_grpc import DealServiceStub
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceStub
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceStub

from workerpool_client.channel import FIRST_PAUSE_S, LONGEST_PAUSE_S, open_channel
from workerpool_client.credentials import Credentials
from workerpool_client.errors import WorkerpoolError
from workerpool_client.targets import check_cleartext, parse_target

Sign = Callable[[str], str]
"""Signs EIP-712 typed data, given as JSON; returns the signature as 0x-prefixed hexadecimal of 65 bytes."""

DEADLINE_S = 10.0
"""Seconds that a unary call may take unless `connect` was given another limit."""
WATCH_PATIENCE_S = 60.0
"""Seconds that a watch waits for a pool that is UNAVAILABLE; a restart of core takes less."""


def connect(
    target: str,
    credentials: Credentials | None = None,
    *,
    ca_file: str | PathLike[str] | None = None,
    certificate_file: str | PathLike[str] | None = None,
    key_file: str | PathLike[str] | None = None,
    deadline_s: float = DEADLINE_S,
    watch_patience_s: float = WATCH_PATIENCE_S,
    allow_cleartext: bool = False,
) -> Client:
    """Return a client of the pool at an address; it connects with its first call.

    Raises WorkerpoolError for an address or a file that cannot be used (INVALID_TARGET, TLS_FAILED), and for
    credentials that would leave this host without TLS (CLEARTEXT_REFUSED).

    Args:
        target: gRPC address of core: `host:port`, `https://host[:port]`, `http://host:port` or `dns:///host:port`.
            Without a scheme a loopback address is spoken to in clear, and any other with TLS.
        credentials: `basic(user, password)` or `bearer(token)`, sent with every call; reads need none.
        ca_file: Certificates (PEM) of the authorities that issue the pool's certificate; the system's by default.
        certificate_file: Certificate chain (PEM) of this client, for a pool that asks for one.
        key_file: Private key (PEM) of that certificate.
        deadline_s: Seconds that each unary call may take; a watch has no limit.
        watch_patience_s: Seconds that a watch connects again while the pool is UNAVAILABLE. Each state of the task
            starts them again; with 0 the first failure ends the watch.
        allow_cleartext: Send credentials without TLS to other hosts too, over a network that is private.
    """
    parsed = parse_target(target)
    if credentials is not None:
        check_cleartext(parsed, allowed=allow_cleartext)
    ca, certificate, key = (
        None if file is None else Path(file) for file in (ca_file, certificate_file, key_file)
    )
    channel = open_channel(
        parsed,
        credentials,
        deadline_s=deadline_s,
        ca_file=ca,
        certificate_file=certificate,
        key_file=key,
    )
    return Client(channel, watch_patience_s=watch_patience_s)


class Client:
    """A pool. Its methods and those of its stubs raise WorkerpoolError; use it as a context manager, or close it."""

    def __init__(self, channel: grpc.Channel, *, watch_patience_s: float = WATCH_PATIENCE_S) -> None:
        """Call a pool over an open channel; `connect` opens one."""
        self._channel = channel
        self._watch_patience_s = watch_patience_s
        self.pool = PoolServiceStub(channel)
        """Generated stub of PoolService."""
        self.tasks = TaskServiceStub(channel)
        """Generated stub of TaskService."""
        self.deals = DealServiceStub(channel)
        """Generated stub of DealService."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; calls that are open end."""
        self._channel.close()

    def status(self) -> pool_service_pb2.GetPoolStatusResponse:
        """Return the summary of the pool: its address, its version, workers and tasks."""
        return self.pool.GetPoolStatus(pool_service_pb2.GetPoolStatusRequest())

    def workers(self) -> Iterator[pool_service_pb2.Worker]:
        """Yield every worker that has registered, ordered by wallet; pages are read as needed."""
        token = ""
        while True:
            page = self.pool.ListWorkers(pool_service_pb2.ListWorkersRequest(page_token=token))
            yield from page.workers
            if not (token := page.next_page_token):
                return

    def task(self, task_id: str) -> task_pb2.Task:
        """Return a task with its replicates."""
        return self.tasks.GetTask(task_service_pb2.GetTaskRequest(task_id=task_id)).task

    def explain(self, task_id: str) -> reason_pb2.Reason | None:
        """Return why a task waits or failed, None when it completed with a result."""
        answer = self.tasks.ExplainTask(task_service_pb2.ExplainTaskRequest(task_id=task_id))
        return answer.reason if answer.HasField("reason") else None

    def watch_task(self, task_id: str) -> Iterator[task_pb2.Task]:
        """Yield a task at once and after each change, until it is COMPLETED or FAILED.

        A broken connection is reopened, and the current state of the task is yielded. Raises WorkerpoolError when the
        pool was UNAVAILABLE for the seconds of `watch_patience_s`, with the time that it waited, and at once for any
        other error.
        """
        request, failures = task_service_pb2.WatchTaskRequest(task_id=task_id), 0
        lost, answered = time.monotonic(), False
        while True:
            call = self.tasks.WatchTask(request)
            try:
                for answer in call:
                    failures, answered = 0, True
                    yield answer.task
                return
            except WorkerpoolError as error:
                failures += 1
                if failures == 1 and answered:
                    # A stream may be silent for hours before it breaks: the time starts when it does.
                    lost = time.monotonic()
                # Certificates that are wrong at the first attempt stay so.
                wrong_tls = error.reason == "TLS_FAILED" and not answered
                if error.code is not grpc.StatusCode.UNAVAILABLE or wrong_tls:
                    raise
                waited = time.monotonic() - lost
                if (left := self._watch_patience_s - waited) <= 0:
                    raise error.after_waiting(waited) from error
            finally:
                # Without effect on a call that ended; else its reader stopped early.
                call.cancel()  # type: ignore[no-untyped-call]
            time.sleep(_pause_s(failures, left))

    def requester_logs(self, task_id: str, address: str, sign: Sign) -> list[task_pb2.ComputeLogs]:
        """Return the compute logs of a task to its requester, ordered by wallet.

        Args:
            task_id: The task.
            address: Address of the requester.
            sign: Signs the challenge of core with the requester's wallet; it is called once for each answer.
        """
        first = self._logs(task_id, address, sign, "")
        logs = list(first.compute_logs)
        for wallet in first.left_out:
            logs += self._logs(task_id, address, sign, wallet).compute_logs
        return logs

    def _logs(
        self, task_id: str, address: str, sign: Sign, wallet: str
    ) -> task_service_pb2.GetTaskLogsResponse:
        """Return one answer with logs; a challenge opens one."""
        challenge = self.tasks.CreateLogChallenge(task_service_pb2.CreateLogChallengeRequest(address=address))
        request = task_service_pb2.GetTaskLogsRequest(
            task_id=task_id,
            address=address,
            signature=sign(challenge.typed_data_json),
            wallet_address=wallet,
        )
        return self.tasks.GetTaskLogs(request)


def _pause_s(failures: int, longest: float) -> float:
    """Return the seconds before another attempt after a number of failures in a row, at least 1."""
    pause = FIRST_PAUSE_S
    for _ in range(failures - 1):
        pause = min(pause * 2, LONGEST_PAUSE_S)
    # Clients that lost the same server must not come back at the same moment.
    return min(pause * uniform(0.8, 1.2), longest)

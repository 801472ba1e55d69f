"""Asks a result proxy whether it holds the archive of a task."""

import asyncio
from collections.abc import Callable

import grpc
from workerpool_kit.grpc_client import call, grpc_target_of, open_channel
from workerpool_kit.logs import get_logger
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_protocol.result_proxy.v1.result_service_pb2_grpc import ResultServiceStub

from workerpool_core.domain.decisions import CheckResult
from workerpool_core.domain.events import ResultChecked

log = get_logger()

_CALL_LIMIT_S = 5.0
_RETRY_S = 2.0
_MOST_CHANNELS = 64


class ResultCheck:
    """Carries out `CheckResult`. `answer` gets exactly one answer per request."""

    def __init__(self, default_proxy_url: str, answer: Callable[[ResultChecked], None]) -> None:
        self._default = default_proxy_url
        self._answer = answer
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def request(self, wanted: CheckResult) -> None:
        """Begin to ask; a check of the same task that is under way already is not doubled."""
        if wanted.task_id not in self._running:
            task = asyncio.create_task(self._check(wanted), name="result check")
            self._running[wanted.task_id] = task

    async def close(self) -> None:
        """Stop asking and close the channels."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for channel in self._channels.values():
            await channel.close(None)

    async def _check(self, wanted: CheckResult) -> None:
        try:
            answer = await self._ask(wanted)
        finally:
            self._running.pop(wanted.task_id, None)
        self._answer(answer)

    async def _ask(self, wanted: CheckResult) -> ResultChecked:
        url = wanted.storage_proxy or self._default
        try:
            stub = ResultServiceStub(self._channel(url))
        except ValueError:
            # The requester named a proxy that is no address: nothing can be stored there.
            return ResultChecked(wanted.task_id, False)
        request = pb.GetResultRequest(task_id=wanted.task_id)
        try:
            found = await call(
                stub.GetResult, request, timeout_s=_CALL_LIMIT_S, retry_unavailable_for_s=_RETRY_S
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return ResultChecked(wanted.task_id, False)
            log.warning("result.check_failed", task=wanted.task_id, proxy=url, code=error.code().name)
            return ResultChecked(wanted.task_id, None)
        return ResultChecked(wanted.task_id, True, result_link=found.result.result_link)

    def _channel(self, url: str) -> grpc.aio.Channel:
        if url not in self._channels:
            if len(self._channels) >= _MOST_CHANNELS:
                # Requesters choose these addresses, so their number is bounded.
                raise ValueError("too many result proxies")
            self._channels[url] = open_channel(grpc_target_of(url))
        return self._channels[url]

"""Asks a result proxy whether it holds the archive of a task."""

from collections.abc import Callable

import grpc
from workerpool_kit.logs import get_logger
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_protocol.result_proxy.v1.result_service_pb2_grpc import ResultServiceStub

from workerpool_core.adapters.grpc.channels import Channels
from workerpool_core.adapters.grpc.requests_in_flight import Inquiries
from workerpool_core.domain.decisions import CheckResult
from workerpool_core.domain.events import ResultChecked

log = get_logger()

_CALL_LIMIT_S = 5.0
_IDEMPOTENT = ("workerpool.result_proxy.v1.ResultService",)


class ResultCheck:
    """Carries out `CheckResult`. `answer` gets exactly one answer per request."""

    def __init__(self, default_proxy_url: str, answer: Callable[[ResultChecked], None]) -> None:
        self._default = default_proxy_url
        self._answer = answer
        self._channels = Channels(idempotent=_IDEMPOTENT)
        self._under_way: Inquiries[str] = Inquiries()

    def request(self, wanted: CheckResult) -> None:
        """Begin to ask; a check of the same task that is under way already is not doubled."""
        self._under_way.begin(wanted.task_id, lambda: self._check(wanted), name="result check")

    async def close(self) -> None:
        """Stop asking and close the channels."""
        await self._under_way.close()
        await self._channels.close()

    async def _check(self, wanted: CheckResult) -> None:
        answer = await self._ask(wanted)
        self._under_way.answered(wanted.task_id)
        self._answer(answer)

    async def _ask(self, wanted: CheckResult) -> ResultChecked:
        url = wanted.storage_proxy or self._default
        try:
            stub = ResultServiceStub(self._channels.to(url))
        except ValueError:
            # The requester named a proxy that is no address: nothing can be stored there.
            return ResultChecked(wanted.task_id, False)
        request = pb.GetResultRequest(task_id=wanted.task_id)
        try:
            found = await stub.GetResult(request, timeout=_CALL_LIMIT_S)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return ResultChecked(wanted.task_id, False)
            log.warning("result.check_failed", task=wanted.task_id, proxy=url, code=error.code().name)
            return ResultChecked(wanted.task_id, None)
        return ResultChecked(wanted.task_id, True, result_link=found.result.result_link)

"""Client of the result proxies: checks whether one holds the archive of a task."""

from collections.abc import Callable

import grpc
from workerpool_kit.logs import get_logger
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_protocol.result_proxy.v1.result_service_pb2_grpc import ResultServiceStub

from workerpool_core.adapters.grpc.channel_pool import ChannelPool
from workerpool_core.adapters.grpc.requests_in_flight import RequestsInFlight
from workerpool_core.domain.decisions import CheckResult
from workerpool_core.domain.events import ResultChecked

log = get_logger()

_CALL_TIMEOUT_S = 5.0
_IDEMPOTENT = ("workerpool.result_proxy.v1.ResultService",)


class ResultProxyClient:
    """The executor of `CheckResult`; `answer` receives exactly one answer per request."""

    def __init__(self, proxy_url: str, answer: Callable[[ResultChecked], None]) -> None:
        self.proxy_url = proxy_url
        """The documented HTTP URL of the pool's result proxy, which may change while core runs."""
        self._answer = answer
        self._channels = ChannelPool(idempotent=_IDEMPOTENT)
        self._in_flight: RequestsInFlight[str] = RequestsInFlight()

    def request(self, wanted: CheckResult) -> None:
        """Start a check; do nothing while one of the same task is in flight."""
        self._in_flight.start(wanted.task_id, lambda: self._check(wanted), name="result check")

    async def close(self) -> None:
        """Cancel the checks in flight and close the channels."""
        await self._in_flight.close()
        await self._channels.close()

    async def _check(self, wanted: CheckResult) -> None:
        answer = await self._call(wanted)
        self._in_flight.complete(wanted.task_id)
        self._answer(answer)

    async def _call(self, wanted: CheckResult) -> ResultChecked:
        url = self.proxy_url
        try:
            stub = ResultServiceStub(self._channels.to(url))
        except ValueError:
            log.error("result.proxy_url_malformed", proxy=url)
            return ResultChecked(wanted.task_id, None)
        request = pb.GetResultRequest(task_id=wanted.task_id)
        try:
            found = await stub.GetResult(request, timeout=_CALL_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return ResultChecked(wanted.task_id, False)
            log.warning("result.check_failed", task=wanted.task_id, proxy=url, code=error.code().name)
            return ResultChecked(wanted.task_id, None)
        return ResultChecked(wanted.task_id, True, result_link=found.result.result_link)

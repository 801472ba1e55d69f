"""What the worker adds to its HTTP side: the documented JSON form of `/metrics`."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from workerpool_worker.adapters.stage_durations import Durations


def routes(durations: Durations) -> list[Route]:
    """Return the routes; the Prometheus form of the same figures is at ``/actuator/prometheus``."""

    async def metrics(_request: Request) -> JSONResponse:
        return JSONResponse(durations.snapshot())

    return [Route("/metrics", metrics)]

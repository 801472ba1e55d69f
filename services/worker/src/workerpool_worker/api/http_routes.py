"""The worker's own HTTP route: the documented JSON form of `/metrics`."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def routes(durations: Callable[[], Mapping[str, object]]) -> list[Route]:
    """Return the routes. `durations` returns the document; `/actuator/prometheus` has the same values as series."""

    async def metrics(_request: Request) -> JSONResponse:
        return JSONResponse(durations())

    return [Route("/metrics", metrics)]

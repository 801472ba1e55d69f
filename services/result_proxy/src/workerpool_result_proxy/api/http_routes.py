"""HTTP downloads of results: the target of the result link."""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.ids import parse_task_id

from workerpool_result_proxy import metrics
from workerpool_result_proxy.app.read_result import ReadResult
from workerpool_result_proxy.domain.ranges import RangeNotSatisfiable, byte_range
from workerpool_result_proxy.errors import ResultNotFound


def routes(results: ReadResult) -> list[Route]:
    """Return `GET` and `HEAD /results/{taskId}`: the archive or one range of it, without authentication."""

    async def download(request: Request) -> Response:
        try:
            found = await results.describe(parse_task_id(request.path_params["task_id"]))
        except (ResultNotFound, InvalidId) as error:
            return JSONResponse({"error": ResultNotFound.reason, "message": str(error)}, status_code=404)
        headers = {
            "accept-ranges": "bytes",
            "etag": f'"{found.sha256.hex()}"',
            "content-disposition": f'attachment; filename="{found.task_id}.zip"',
            # A result is never overwritten.
            "cache-control": "public, max-age=31536000, immutable",
        }
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        try:
            wanted = byte_range(_range_header(request, headers["etag"]), found.size)
        except RangeNotSatisfiable:
            return Response(status_code=416, headers={"content-range": f"bytes */{found.size}"})
        status, first, last = (206, *wanted) if wanted else (200, 0, found.size - 1)
        if status == 206:
            headers["content-range"] = f"bytes {first}-{last}/{found.size}"
        headers["content-length"] = str(last - first + 1)
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers, media_type="application/zip")
        content = _counted(results.content(found, first=first, length=last - first + 1))
        return StreamingResponse(content, status_code=status, headers=headers, media_type="application/zip")

    return [Route("/results/{task_id}", download, methods=["GET"])]


def _range_header(request: Request, etag: str) -> str | None:
    """Return the Range header, unless If-Range names another version of the file."""
    condition = request.headers.get("if-range")
    return request.headers.get("range") if condition in (None, etag) else None


async def _counted(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in content:
        metrics.SERVED_BYTES.inc(len(chunk))
        yield chunk

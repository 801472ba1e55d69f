"""HTTP downloads of results, by their result links, and of files of the IPFS node."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send
from workerpool_kit.errors import WorkerpoolError
from workerpool_kit.http.answers import error_answer
from workerpool_kit.logs import get_logger
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.ids import parse_task_id

from workerpool_result_proxy import metrics
from workerpool_result_proxy.app.gateway import Gateway
from workerpool_result_proxy.app.read_result import ReadResult
from workerpool_result_proxy.domain.ranges import RangeNotSatisfiable, byte_range
from workerpool_result_proxy.errors import ResultNotFound

log = get_logger()

_ZIP, _BYTES = "application/zip", "application/octet-stream"
_ZIP_START = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True)
class _Download:
    """A file to send; `content` yields a number of bytes from a first one."""

    size: int
    etag: str
    content: Callable[[int, int], AsyncIterator[bytes]]
    media_type: str = _ZIP
    headers: dict[str, str] = field(default_factory=dict)


def routes(results: ReadResult, gateway: Gateway) -> list[Route]:
    """Return `GET` and `HEAD` of `/results/{taskId}` and `/ipfs/{cid}[/path]`: a file or one range of it."""

    async def result(request: Request) -> Response:
        try:
            task_id = parse_task_id(request.path_params["task_id"])
        except InvalidId as problem:
            raise ResultNotFound(f"this is not a task id: {problem}; correct the link") from None
        found = await results.describe(task_id)
        return await _answer(
            request,
            _Download(
                found.size,
                found.sha256.hex(),
                lambda first, length: results.content(found, first=first, length=length),
                headers={"content-disposition": f'attachment; filename="{found.task_id}.zip"'},
            ),
        )

    async def ipfs(request: Request) -> Response:
        found = await gateway.find(request.path_params["path"])

        def content(first: int, length: int) -> AsyncIterator[bytes]:
            return gateway.read(found, first=first, length=length)

        start = b"".join([piece async for piece in content(0, min(len(_ZIP_START[0]), found.size))])
        return await _answer(
            request,
            _Download(
                found.size,
                found.cid,
                content,
                _ZIP if start in _ZIP_START else _BYTES,
                # A content id can name any content, which a browser must not run with the origin of this host.
                {"x-content-type-options": "nosniff", "content-security-policy": "sandbox"},
            ),
        )

    return [
        Route("/results/{task_id}", result, methods=["GET"]),
        Route("/ipfs/{path:path}", ipfs, methods=["GET"]),
    ]


async def _answer(request: Request, download: _Download) -> Response:
    size = download.size
    headers = {
        "accept-ranges": "bytes",
        "etag": f'"{download.etag}"',
        # Neither a result nor the content of a content id ever changes.
        "cache-control": "public, max-age=31536000, immutable",
        **download.headers,
    }
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    try:
        wanted = byte_range(_range_header(request, headers["etag"]), size)
    except RangeNotSatisfiable:
        return error_answer(
            "RANGE_NOT_SATISFIABLE",
            f"the file has {size} bytes; request a range within them",
            416,
            headers={"content-range": f"bytes */{size}"},
        )
    status, first, last = (206, *wanted) if wanted else (200, 0, size - 1)
    if status == 206:
        headers["content-range"] = f"bytes {first}-{last}/{size}"
    headers["content-length"] = str(last - first + 1)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=download.media_type)
    content = _counted(download.content(first, last - first + 1))
    # Read the first piece now, because the error status of a failing store can only be sent before the first byte.
    start = await anext(content, b"")
    return _Transfer(
        _from(start, content), status_code=status, headers=headers, media_type=download.media_type
    )


class _Transfer(StreamingResponse):
    """A response that ends early when the store fails after the first byte, with fewer bytes than Content-Length.

    A request for the rest, with a Range header, then returns the error.
    """

    async def stream_response(self, send: Send) -> None:
        """Send the content; when it breaks, leave the response incomplete, so that the server closes the connection."""
        try:
            await super().stream_response(send)
        except WorkerpoolError as broken:
            log.warning("result.download_broken", reason=broken.reason, message=broken.message)


async def _from(start: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield start
    async for chunk in rest:
        yield chunk


def _range_header(request: Request, etag: str) -> str | None:
    """Return the Range header, unless If-Range has another version of the file."""
    condition = request.headers.get("if-range")
    return request.headers.get("range") if condition in (None, etag) else None


async def _counted(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in content:
        metrics.SERVED_BYTES.inc(len(chunk))
        yield chunk

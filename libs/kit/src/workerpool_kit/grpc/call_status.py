"""The server's status of a call that streams requests, which grpc.aio may replace with an error of its own."""

import asyncio
from typing import Any

import grpc

_REPLACED = (grpc.StatusCode.INTERNAL, "Internal error from Core")
"""Status that grpc.aio gives a call whose write meets the end of the stream (grpc/grpc issue 36066)."""
_LIMIT_S = 1.0
_POLL_S = 0.005


class ServerStatus:
    """Keeps the status with which the server ended a call.

    When a write meets the end of a stream, grpc.aio sets the status of the call to INTERNAL: before the status of the
    server arrives, or instead of it. Create this before the first write.
    """

    def __init__(self, call: Any) -> None:
        """Follow a call of `grpc.aio`."""
        self._call = call
        self._first: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._done)

    async def error(self) -> grpc.aio.AioRpcError | None:
        """Return the error with which the server ended the call, None for OK.

        Waits for the end of the call. Returns the error of grpc.aio if the server's status is not known one second
        later.
        """
        await self._call.code()
        status = self._first
        deadline = asyncio.get_running_loop().time() + _LIMIT_S
        while status is None or _is_replaced(status):
            # gRPC calls back for the first status only, and the server's may be the second.
            status = await _status(self._call)
            if asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(_POLL_S)
        return None if status.code() is grpc.StatusCode.OK else status

    async def raise_error(self) -> None:
        """Raise the error with which the server ended the call; return if it ended with OK."""
        if (error := await self.error()) is not None:
            raise error

    def _done(self, call: Any) -> None:
        # The status may be replaced before another task runs, so it is read here; a finished call never suspends.
        reading = _status(self._call)
        try:
            reading.send(None)
        except StopIteration as read:
            self._first = read.value
        finally:
            reading.close()


async def answer_of(call: Any) -> Any:
    """Await the response of a call that streams requests; raise the server's error if it ended the call early."""
    status = ServerStatus(call)
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if _is_replaced(error):
            await status.raise_error()
        raise


def _is_replaced(error: grpc.aio.AioRpcError) -> bool:
    return (error.code(), error.details()) == _REPLACED


async def _status(call: Any) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        await call.code(),
        await call.initial_metadata(),
        await call.trailing_metadata(),
        details=await call.details(),
        debug_error_string=await call.debug_error_string(),
    )

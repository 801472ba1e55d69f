"""Calls of any method with random messages, by any role."""

import asyncio
from dataclasses import dataclass
from typing import Any

import grpc
from contract.fuzz.messages import random_bytes
from contract.fuzz.values import Values
from contract.method_calls import PROTOCOL
from grpc import StatusCode
from workerpool_kit.grpc.call_status import ServerStatus

_TIMEOUT_S, _READ_S = 15.0, 0.3
_MESSAGES_PER_STREAM = 6


@dataclass(frozen=True)
class Target:
    """A method of one service, and the channel to it."""

    channel: grpc.aio.Channel
    method: str


async def fuzz(target: Target, values: Values, metadata: Any) -> tuple[int, StatusCode, str]:
    """Call a method once with random bytes; return the number of messages sent, the status and its details."""
    service, name = target.method.rsplit("/", 1)
    found = PROTOCOL.FindServiceByName(service).methods_by_name[name]
    count = values.random.randint(1, _MESSAGES_PER_STREAM) if found.client_streaming else 1
    sent = [random_bytes(values, found.input_type) for _ in range(count)]
    arity = (
        f"{'stream' if found.client_streaming else 'unary'}_{'stream' if found.server_streaming else 'unary'}"
    )
    rpc = getattr(target.channel, arity)(f"/{target.method}", None, None)
    call = rpc(iter(sent) if found.client_streaming else sent[0], metadata=metadata, timeout=_TIMEOUT_S)
    status = ServerStatus(call)
    try:
        if found.server_streaming:
            async with asyncio.timeout(_READ_S):
                async for _ in call:
                    pass
        else:
            await call
    except TimeoutError:
        return count, StatusCode.OK, "left open"
    except grpc.aio.AioRpcError:
        # The next message of a stream may meet the end of it; the status of the server counts.
        if (error := await status.error()) is not None:
            return count, error.code(), error.details() or ""
    finally:
        call.cancel()
    return count, StatusCode.OK, ""

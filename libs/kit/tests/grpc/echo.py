"""A service of the test contract that answers what it was given, and the policies it is served with."""

import asyncio
from typing import Any

from workerpool_kit.access.authenticators import ANYONE, current_identity

SERVICE = "kit_test.v1.EchoService"
METHODS = tuple(f"/{SERVICE}/{method}" for method in ("Unary", "Fan", "Collect", "Chat"))


def closed_to(*roles: str) -> dict[str, frozenset[str]]:
    return dict.fromkeys(METHODS, frozenset(roles))


OPEN_POLICY = closed_to(ANYONE)


class Echo:
    """Answers every call with what it was given, and who gave it."""

    def __init__(self, contract: Any) -> None:
        self.note = contract.pb2.Note

    async def Unary(self, request: Any, context: Any) -> Any:
        return self.note(text=f"{current_identity().subject}:{request.text}", count=request.count)

    async def Fan(self, request: Any, context: Any) -> Any:
        for number in range(request.count):
            yield self.note(text=request.text, count=number)

    async def Collect(self, requests: Any, context: Any) -> Any:
        texts = [request.text async for request in requests]
        return self.note(text="".join(texts), count=len(texts))

    async def Chat(self, requests: Any, context: Any) -> Any:
        async for request in requests:
            yield self.note(text=f"{current_identity().subject}:{request.text}")


class Waiting(Echo):
    """Never answers; tells when a call has begun and when it was cancelled."""

    def __init__(self, contract: Any) -> None:
        super().__init__(contract)
        self.begun, self.cancelled = asyncio.Event(), asyncio.Event()

    async def Unary(self, request: Any, context: Any) -> Any:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def Fan(self, request: Any, context: Any) -> Any:
        yield self.note()
        await self.Unary(request, context)

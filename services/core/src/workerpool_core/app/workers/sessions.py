"""Open streams of workers: one per wallet, each with a bounded queue of messages to send.

A slow reader does not push back on a gRPC stream, so each session has its own bound; past it the
session ends and the worker, when it comes back, is told everything that matters again (commands are
durable, assignments are sent until a status of theirs arrives).
"""

import asyncio
import uuid
from collections import deque
from collections.abc import Iterator

from workerpool_kit.logs import get_logger

from workerpool_core.app.workers.messages import Message, ShutDown

log = get_logger()

DEFAULT_BOUND = 10_000
"""Messages that may wait for one worker."""


class Session:
    """One open stream. The stream's handler sends what `next_messages` returns until `ended`."""

    def __init__(self, wallet: str, bound: int) -> None:
        self.wallet = wallet
        self.id = uuid.uuid4().hex
        self.overflowed = False
        self._bound = bound
        self._waiting: deque[Message] = deque()
        self._something = asyncio.Event()
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether nothing more will be sent after what `next_messages` still returns."""
        return self._ended

    def send(self, message: Message) -> None:
        """Queue a message; ignored once the session has ended."""
        if self._ended:
            return
        if len(self._waiting) >= self._bound:
            log.warning(
                "session.outbox_full", wallet=self.wallet, session=self.id, waiting=len(self._waiting)
            )
            self.overflowed = True
            self._waiting.clear()
            self.end(ShutDown("OUTBOX_FULL", "read the stream faster, then connect again", retry_after_s=1.0))
            return
        self._waiting.append(message)
        self._something.set()

    def end(self, farewell: ShutDown | None = None) -> None:
        """End the session after what waits already and the farewell."""
        if self._ended:
            return
        if farewell is not None:
            self._waiting.append(farewell)
        self._ended = True
        self._something.set()

    async def next_messages(self) -> list[Message]:
        """Wait for messages and take all of them; empty only when the session has ended."""
        while not self._waiting and not self._ended:
            self._something.clear()
            await self._something.wait()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class Sessions:
    """The open session of each wallet."""

    def __init__(self, bound: int = DEFAULT_BOUND) -> None:
        self._bound = bound
        self._open: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._open.values()))

    def open(self, wallet: str) -> Session:
        """Open a session; an earlier one of the wallet is told that it was replaced, and ends."""
        if (earlier := self._open.get(wallet)) is not None:
            earlier.end(ShutDown("REPLACED", "another stream of this wallet was opened"))
        session = self._open[wallet] = Session(wallet, self._bound)
        return session

    def close(self, session: Session) -> None:
        """Forget a session whose stream has ended."""
        session.end()
        if self._open.get(session.wallet) is session:
            del self._open[session.wallet]

    def of(self, wallet: str, session_id: str = "") -> Session | None:
        """Return the wallet's open session, only if it is the one named."""
        session = self._open.get(wallet)
        return session if session is not None and session_id in ("", session.id) else None

    def end_all(self, farewell: ShutDown) -> None:
        """End every session, when the process stops."""
        for session in self:
            session.end(farewell)

"""Open sessions of workers: one per wallet, each with a bounded queue of messages to send.

A gRPC stream gives no back-pressure from a slow reader, so each session has a limit above which it ends. After the
worker reconnects, everything relevant is resent: commands are durable, and an assignment is resent until a status of
its replicate arrives.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Iterator

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.model import Block

from workerpool_core.app.workers.messages import Assigned, Commanded, Message, NewHead, ShutDown, Welcomed

log = get_logger()

_WITH_HEAD = (Welcomed, Assigned, Commanded)
"""Messages that the newest head follows, because the worker checks deadlines against it."""
MAX_QUEUED = 10_000
"""Messages that may wait for one worker."""


class Session:
    """One open session; the stream's handler sends what `next_messages` returns until `ended`.

    Nothing is sent before the Welcome. Effects of decisions from before the session may be executed after the stream
    was opened; the messages after the Welcome include all of them again.

    Heads do not queue: the newest follows the Welcome, every assignment or command, and `head_changed`.
    """

    def __init__(self, wallet: str, max_queued: int, newest_head: Callable[[], Block | None]) -> None:
        self.wallet = wallet
        self.id = uuid.uuid4().hex
        self.overflowed = False
        self._max_queued = max_queued
        self._waiting: deque[Message] = deque()
        self._changed = asyncio.Event()
        self._ended = False
        self._welcomed = False
        self._newest_head = newest_head
        self._sent_head: Block | None = None
        self._head_due = False

    @property
    def ended(self) -> bool:
        """Whether `next_messages` returns only the messages queued so far."""
        return self._ended

    def send(self, message: Message) -> None:
        """Queue a message; do nothing before the Welcome, and once the session has ended."""
        if not self._welcomed:
            self._welcomed = isinstance(message, Welcomed)
        if self._ended or not self._welcomed:
            return
        if len(self._waiting) >= self._max_queued:
            log.warning(
                "session.outbox_overflowed", wallet=self.wallet, session=self.id, waiting=len(self._waiting)
            )
            self.overflowed = True
            self._waiting.clear()
            self.end(ShutDown("OUTBOX_FULL", "read the stream faster, then connect again", retry_after_s=1.0))
            return
        self._waiting.append(message)
        self._changed.set()

    def head_changed(self) -> None:
        """Send the newest head; do nothing before the Welcome, and once the session has ended."""
        if self._welcomed and not self._ended:
            self._head_due = True
            self._changed.set()

    def end(self, farewell: ShutDown | None = None) -> None:
        """End the session after its queued messages and `farewell`."""
        if self._ended:
            return
        if farewell is not None:
            self._waiting.append(farewell)
        self._ended = True
        self._changed.set()

    async def next_messages(self) -> list[Message]:
        """Wait for messages and return all of them; the list is empty only once the session has ended."""
        while not (taken := self._take()) and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        return taken

    def _take(self) -> list[Message]:
        taken = list(self._waiting)
        self._waiting.clear()
        head = self._newest_head()
        if head is not None and head != self._sent_head and self._needs_head(taken):
            taken.append(NewHead(head))
            self._sent_head = head
        self._head_due = False
        return taken

    def _needs_head(self, taken: list[Message]) -> bool:
        if self._ended:
            return False
        return self._head_due or any(isinstance(message, _WITH_HEAD) for message in taken)


class Sessions:
    """The open session of each wallet; `head` is the newest block of the chain, None before the first."""

    def __init__(self, max_queued: int = MAX_QUEUED) -> None:
        self.head: Block | None = None
        self._max_queued = max_queued
        self._open: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._open.values()))

    def open(self, wallet: str) -> Session:
        """Open a session; an older one of the wallet ends with the reason REPLACED."""
        if (earlier := self._open.get(wallet)) is not None:
            earlier.end(ShutDown("REPLACED", "another stream of this wallet was opened"))
        session = self._open[wallet] = Session(wallet, self._max_queued, lambda: self.head)
        return session

    def close(self, session: Session) -> None:
        """Remove a session whose stream has ended."""
        session.end()
        if self._open.get(session.wallet) is session:
            del self._open[session.wallet]

    def of(self, wallet: str, session_id: str = "") -> Session | None:
        """Return the open session of a wallet; None when it has none, or another one than `session_id`."""
        session = self._open.get(wallet)
        return session if session is not None and session_id in ("", session.id) else None

    def end_all(self, farewell: ShutDown) -> None:
        """End every session before the process stops."""
        for session in self:
            session.end(farewell)

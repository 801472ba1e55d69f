"""The newest finalized block, as a node reports it for the tag `finalized`."""

import asyncio
import contextlib
from collections.abc import Callable

from workerpool_poco.chain.answers import read_finalized
from workerpool_poco.chain.heads import CreateTask
from workerpool_poco.chain.rpc import JsonRpc
from workerpool_poco.errors import ChainUnreachable, PocoError
from workerpool_poco.protocol.model import Block

PERIOD_S = 30.0
"""Seconds between two readings while something waits for finality."""
UNSUPPORTED_PERIOD_S = 600.0
"""Seconds until a node without the tag is queried again: another node may have replaced it."""


class FinalizedTag:
    """Reads the tag at most every 30 s while the process waits for finality, and never while it does not.

    None means that the node reports none: it has no tag, answers null or an error, or does not answer. Callers then use
    their rule by age. A number that lies ahead of the head, or below an earlier one, is ignored.
    """

    def __init__(
        self,
        rpc: JsonRpc,
        *,
        waits: Callable[[], bool],
        on_ignored: Callable[[str], None] = lambda _: None,
        create_task: CreateTask = asyncio.create_task,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        """Create it without a request.

        Args:
            rpc: the node.
            waits: returns whether something waits for finality.
            on_ignored: called once, with a sentence, when the node reports an impossible number.
            create_task: starts a reading; a service passes one that supervises it.
            monotonic: clock of the periods, in seconds; by default that of the event loop.
        """
        self._rpc = rpc
        self._waits = waits
        self._on_ignored = on_ignored
        self._create_task = create_task
        self._monotonic = monotonic or (lambda: asyncio.get_running_loop().time())
        self._head = 0
        self._number: int | None = None
        self._told = False
        self._due = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._warned = False

    @property
    def number(self) -> int | None:
        """The number of the newest finalized block; None while the node reports none."""
        return self._number if self._told else None

    def take(self, head: Block) -> int | None:
        """Take a new head, start a reading if one is due, and return the result of the last one."""
        self._head = head.number
        reading = self._reading is not None and not self._reading.done()
        if not reading and self._monotonic() >= self._due and self._waits():
            self._reading = self._create_task(self._read(), name="finalized-tag")
        return self.number

    async def stop(self) -> None:
        """Cancel a reading."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading

    async def _read(self) -> None:
        period_s = PERIOD_S
        try:
            number = read_finalized(await self._rpc.call("eth_getBlockByNumber", "finalized", False))
        except ChainUnreachable:
            self._told = False
        except PocoError:
            self._told, period_s = False, UNSUPPORTED_PERIOD_S
        else:
            if number is None:
                self._told, period_s = False, UNSUPPORTED_PERIOD_S
            else:
                self._note(number)
        self._due = self._monotonic() + period_s

    def _note(self, number: int) -> None:
        if number > self._head:
            self._ignore(f"the node's finalized block {number} lies ahead of its head {self._head}")
        elif self._number is not None and number < self._number:
            self._ignore(f"the node's finalized block went back from {self._number} to {number}")
        else:
            self._number = number
        self._told = self._number is not None

    def _ignore(self, problem: str) -> None:
        if not self._warned:
            self._warned = True
            self._on_ignored(problem)

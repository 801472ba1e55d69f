"""A gate before MongoDB that closes at the first command of each kind, so that a start meets an outage at each step."""

from __future__ import annotations

import asyncio
import struct

from relays import Relay
from workerpool_kit.runtime.tasks import end_tasks, start_task

_HEADER_BYTES, _OP_MSG = 16, 2013
_BODY_AT = 5
"""Where the first document of an OP_MSG begins: after 4 bytes of flags and the kind of the section."""
_STRING = 2
"""The BSON type of text."""
_MONITORING = {"hello", "isMaster", "ismaster", "endSessions"}

Command = tuple[str, str]
"""The name of a command, and the collection that it is about; empty without one."""


class DatabaseGate(Relay):
    """A relay to MongoDB that is away for `down_s` seconds from the first command of each kind on.

    It cuts the connections before the command reaches the server. Monitoring does not count.
    """

    def __init__(self, host: str, port: int, target: tuple[str, int], down_s: float) -> None:
        super().__init__((host, port), target)
        self.met: list[Command] = []
        """The commands at which it closed, in order."""
        self._down_s = down_s
        self._outage: asyncio.Task[None] | None = None

    @property
    def uri(self) -> str:
        """The connection string for clients, which must not learn the server's own address."""
        assert isinstance(self.address, tuple)
        return f"mongodb://{self.address[0]}:{self.address[1]}/?directConnection=true"

    async def cut(self) -> None:
        """Close the gate for good."""
        if self._outage is not None:
            await end_tasks(self._outage)
        await super().cut()

    async def _send(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while True:
            try:
                header = await source.readexactly(_HEADER_BYTES)
                body = await source.readexactly(struct.unpack_from("<i", header)[0] - _HEADER_BYTES)
            except asyncio.IncompleteReadError:
                return
            command = _command(header, body)
            if command is not None and command[0] not in _MONITORING and command not in self.met:
                self.met.append(command)
                if self._outage is None or self._outage.done():
                    self._outage = start_task(self._go_away(), name="outage")
                return
            target.write(header + body)
            await target.drain()

    async def _go_away(self) -> None:
        await super().cut()
        await asyncio.sleep(self._down_s)
        await self.start()


def _command(header: bytes, body: bytes) -> Command | None:
    if struct.unpack_from("<i", header, 12)[0] != _OP_MSG:
        return None
    element = body[_BODY_AT + 4 :]
    name, _, value = element[1:].partition(b"\0")
    if element[0] != _STRING:
        return name.decode(), ""
    (length,) = struct.unpack_from("<i", value)
    return name.decode(), value[4 : 4 + length - 1].decode()

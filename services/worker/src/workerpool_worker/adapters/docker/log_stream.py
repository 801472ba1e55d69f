"""Format of the engine's log stream: frames, timestamps, and the position up to which it was read."""

import struct
import time
from collections.abc import Iterable, Iterator
from datetime import datetime

_HEADER = struct.Struct(">BxxxL")
_NANOSECONDS = 10**9
_NEVER_PREFIX = "0001-01-01"


def split_entries(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield (stream, data) of each entry; stream 1 is standard output, 2 standard error.

    The blocks may cut the stream anywhere. Each entry starts with a header of 8 bytes: the stream, three zeros, the
    length (Docker Engine API, "Stream format").
    """
    buffer = bytearray()
    for block in blocks:
        buffer += block
        begin = 0
        while len(buffer) - begin >= _HEADER.size:
            kind, length = _HEADER.unpack_from(buffer, begin)
            end = begin + _HEADER.size + length
            if len(buffer) < end:
                break
            yield kind, bytes(buffer[begin + _HEADER.size : end])
            begin = end
        del buffer[:begin]


class LogCursor:
    """The position in a log: a timestamp and the number of entries read with it.

    Entries can share a timestamp, because the engine splits a long line into parts.
    """

    def __init__(self, since: str, *, tail_entries: int) -> None:
        """Create a cursor at `since` (Unix seconds as text; empty for the start of the log).

        `tail_entries` is the number of entries that one request returns at most.
        """
        self._since = since
        self._tail_entries = tail_entries
        self._newest = b""
        self._seen = 0
        self._repeated = 0
        """Entries with the newest timestamp that the next request returns again."""

    def resume(self, *, behind: bool) -> str:
        """Return the time from which the next request reads; empty for the start. `advance` skips known entries.

        If too many parts of one line were read to distinguish known from new ones, they are read again.
        """
        if behind and self._seen >= self._tail_entries // 2:
            self._seen = 0
        self._repeated = min(self._seen, self._tail_entries)
        return unix_time(self._newest.decode()) if self._newest else self._since

    def advance(self, stamp: bytes) -> bool:
        """Advance to an entry's timestamp. Return whether the entry is new."""
        if stamp != self._newest:
            self._newest, self._seen, self._repeated = stamp, 1, 0
            return True
        if self._repeated:
            self._repeated -= 1
            return False
        self._seen += 1
        return True


def unix_time(stamp: str) -> str:
    """Return a timestamp such as `2024-05-01T10:00:00.123456789Z` as Unix seconds with nanoseconds."""
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole + "+00:00").timestamp())
    return f"{seconds}.{fraction.ljust(9, '0')}"


def unix_seconds(stamp: str) -> float:
    """Return a timestamp of the engine as Unix seconds; now if it is unset."""
    return time.time() if stamp.startswith(_NEVER_PREFIX) else float(unix_time(stamp))


def unix_now() -> str:
    """Return the current time as Unix seconds with nanoseconds."""
    seconds, nanoseconds = divmod(time.time_ns(), _NANOSECONDS)
    return f"{seconds}.{nanoseconds:09}"

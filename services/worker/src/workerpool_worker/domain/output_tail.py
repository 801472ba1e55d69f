"""The newest part of an app's output that was not sent to the scheduler yet, in bounded memory."""

import codecs
from enum import StrEnum

MAX_TEXT_CHARACTERS = 16_384
"""Characters of one stream buffered between two messages. The contract allows four times as many per message."""
OMISSION_MARK = "\n[output left out]\n"
"""Replaces output that was dropped from the buffer or never read."""


class OutputStream(StrEnum):
    """An output stream of an app."""

    STDOUT = "stdout"
    STDERR = "stderr"


class OutputTail:
    """A bounded buffer of one output stream. It accepts bytes, returns text and drops the oldest text first."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._parts: list[str] = []
        self._characters = 0
        self._dropped = False
        """Whether text before the first part was dropped."""
        self._gap = False
        """Whether output may be missing before the next bytes."""

    def add(self, data: bytes) -> None:
        """Append output. Bytes of a character that was cut at the end of `data` are completed by the next call."""
        if self._gap:
            self._append(OMISSION_MARK)
            self._gap = False
        self._append(self._decoder.decode(data))

    def mark_gap(self) -> None:
        """Record that output may be missing before the next bytes."""
        self._gap = True
        self._decoder.reset()

    def drain(self) -> str:
        """Remove and return the buffered text: at most `MAX_TEXT_CHARACTERS` characters and omission marks."""
        self._drop_oldest()
        text = "".join(self._parts)
        if self._dropped:
            text = OMISSION_MARK + text
        self._parts, self._characters, self._dropped = [], 0, False
        return text

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._characters += len(text)
        # Joining dominates the cost and an app may print byte by byte, so join at twice the limit only.
        if self._characters > 2 * MAX_TEXT_CHARACTERS or len(self._parts) > MAX_TEXT_CHARACTERS:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        text = "".join(self._parts)
        self._dropped = self._dropped or len(text) > MAX_TEXT_CHARACTERS
        self._parts = [text[-MAX_TEXT_CHARACTERS:]]
        self._characters = len(self._parts[0])

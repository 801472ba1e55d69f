"""The newest of what an app printed and nobody was told yet: text in bounded memory, however much is printed."""

import codecs
from enum import StrEnum

LONGEST_TEXT = 16_384
"""Characters kept of one stream until they are taken; the contract allows four times as many in a message."""
LEFT_OUT = "\n[output left out]\n"


class OutputStream(StrEnum):
    """An output stream of an app."""

    STDOUT = "stdout"
    STDERR = "stderr"


class OutputTail:
    """One stream: bytes go in as they are printed, text comes out; where the oldest had to go, the text says so."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._parts: list[str] = []
        self._characters = 0
        self._left_out = False
        """Whether the first of the parts follows on something that was left out."""
        self._skipped = False

    def add(self, data: bytes) -> None:
        """Append what was printed; a character that is cut in two is completed by the next bytes."""
        if self._skipped:
            self._append(LEFT_OUT)
            self._skipped = False
        self._append(self._decoder.decode(data))

    def skip(self) -> None:
        """Remember that what is added next need not follow on what was added last."""
        self._skipped = True
        self._decoder.reset()

    def take(self) -> str:
        """Return what was added since the last call, at most ``LONGEST_TEXT`` characters and a word about the rest."""
        self._drop_oldest()
        text = "".join(self._parts)
        if self._left_out:
            text = LEFT_OUT + text
        self._parts, self._characters, self._left_out = [], 0, False
        return text

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._characters += len(text)
        # Not each time: joining is what costs, and an app may print byte by byte.
        if self._characters > 2 * LONGEST_TEXT or len(self._parts) > LONGEST_TEXT:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        text = "".join(self._parts)
        self._left_out = self._left_out or len(text) > LONGEST_TEXT
        self._parts = [text[-LONGEST_TEXT:]]
        self._characters = len(self._parts[0])

"""The number of blocks that one search for logs may span, adapted to the refusals of the node."""

_GROW_AFTER = 8
"""Consecutive answered searches after which a larger one is tried."""
_REMEMBERED = 1_000
"""Answered searches after which a refused size is tried again; the node may have been busy."""


class LogRange:
    """The size of a search for logs, in blocks: halved by each refusal, doubled again while the node answers.

    Providers limit it to 10, 500 or 10,000 blocks, each with another error message.
    """

    def __init__(self, largest: int) -> None:
        self.blocks = largest
        self._largest = largest
        self._refused: int | None = None
        self._answered = 0

    def refused(self, blocks: int) -> None:
        """Record that the node refused a search over `blocks` blocks."""
        self.blocks = max(min(self.blocks, blocks) // 2, 1)
        self._refused = blocks
        self._answered = 0

    def answered(self) -> None:
        """Record that the node answered a search."""
        self._answered += 1
        if self._answered % _REMEMBERED == 0:
            self._refused = None
        limit = self._largest if self._refused is None else self._refused * 3 // 4
        if self._answered % _GROW_AFTER == 0:
            self.blocks = max(min(self.blocks * 2, limit), self.blocks)

"""A dump of nothing."""

from collections.abc import Sequence
from pathlib import Path


class MemoryDump:
    """The `Dump` port without rows."""

    async def write(self, path: Path) -> int:
        """Write a file; see `Dump`."""
        path.write_text("dump")
        return 0

    async def check(self, path: Path) -> Sequence[str]:
        """Return no key; see `Dump`."""
        return []

    async def load(self, path: Path) -> int:
        """Load nothing; see `Dump`."""
        return 0

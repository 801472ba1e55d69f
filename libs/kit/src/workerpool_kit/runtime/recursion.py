"""The recursion limit of the process, which no library may raise.

Python raises RecursionError at its limit, which protects the C stack. py_ecc (imported by eth_keyfile) raises the
limit to 100,000: a deeply nested JSON text, path or object then overflows the stack and ends the process.
"""

import sys

RECURSION_LIMIT = 1_000
"""Python's default; a frame or a level of C recursion takes at most some hundred bytes to a few KiB of stack."""


def own_recursion_limit() -> None:
    """Set the limit for the life of the process. Later requests of libraries for a higher limit have no effect."""
    sys.setrecursionlimit(RECURSION_LIMIT)
    set_limit = sys.setrecursionlimit
    if getattr(set_limit, "owned", False):
        return

    def set_within_bounds(limit: int) -> None:
        set_limit(min(limit, RECURSION_LIMIT))

    set_within_bounds.owned = True  # type: ignore[attr-defined]
    sys.setrecursionlimit = set_within_bounds

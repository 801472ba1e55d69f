"""What goes wrong by nature in a seed: apps that fail, and workers that are broken, silent, idle or lying."""

from enum import Enum


class Character(Enum):
    """How a worker behaves. Faults, such as crashes, may occur to each of them.

    * BROKEN: each stage fails, because its host does.
    * SILENT: it stops at some stage without a word, but stays connected.
    * IDLE: it reports a result, and sometimes a contribution, but never contributes.
    * LYING: it reports that every app failed.
    """

    HONEST = "HONEST"
    BROKEN = "BROKEN"
    SILENT = "SILENT"
    IDLE = "IDLE"
    LYING = "LYING"


class App(Enum):
    """How the app of a deal behaves.

    * EXITS: it ends with the exit code 3.
    * DIFFERS: it ends with another exit code on each worker.
    * SLOW: it reaches its time limit.
    * LARGE: it runs out of memory, except in a large slot.
    * MISSING: its image cannot be downloaded.
    """

    GOOD = "GOOD"
    EXITS = "EXITS"
    DIFFERS = "DIFFERS"
    SLOW = "SLOW"
    LARGE = "LARGE"
    MISSING = "MISSING"


ALWAYS_FAILING = frozenset({App.EXITS, App.DIFFERS, App.SLOW, App.MISSING})
AGREED = (App.EXITS, App.SLOW, App.MISSING)
"""The apps whose failure is the same everywhere, so that workers agree on it."""
LARGE_SLOT_BYTES = 1 << 34
"""The slot in which a LARGE app succeeds."""

"""The behaviours of apps and workers in a seed: failing apps, and broken, silent, idle or lying workers."""

from enum import Enum


class WorkerBehaviour(Enum):
    """The behaviour of a worker; faults, such as crashes, may occur with each of them.

    * BROKEN: each stage fails because of the host.
    * SILENT: it stops reporting at some stage, but stays connected.
    * IDLE: it reports a result, and sometimes a contribution, but never contributes.
    * LYING: it reports that every app failed.
    """

    HONEST = "HONEST"
    BROKEN = "BROKEN"
    SILENT = "SILENT"
    IDLE = "IDLE"
    LYING = "LYING"


class AppBehaviour(Enum):
    """The behaviour of the app of a deal.


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


ALWAYS_FAILING = frozenset(
    {AppBehaviour.EXITS, AppBehaviour.DIFFERS, AppBehaviour.SLOW, AppBehaviour.MISSING}
)
AGREED = (AppBehaviour.EXITS, AppBehaviour.SLOW, AppBehaviour.MISSING)
"""The apps that fail in the same way everywhere, so that workers agree."""
LARGE_SLOT_BYTES = 1 << 34
"""The slot in which a LARGE app succeeds."""

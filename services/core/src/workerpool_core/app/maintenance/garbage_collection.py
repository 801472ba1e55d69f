"""Tuning of Python's cyclic garbage collector for long-lived tasks."""

import gc

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 100
"""Thresholds of the three generations: allocations, then collections of the generation below."""


def freeze_live_tasks() -> None:
    """Exclude the tasks loaded at the start from collection, and collect the rest less often.

    A live task is about twenty acyclic objects that live for hours. With the default thresholds the collector traversed
    them repeatedly: at 16,000 tasks it took a fifth of the processor, in pauses of up to 0.4 s.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)

"""The table of workers for Prometheus: a few series for each worker, on a separate path.

Workers run on hosts that the pool's Prometheus may not reach, so core exposes what it knows of each.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_KNOWN = ("name", "version", "os", "cpu", "state")


class WorkerSample(NamedTuple):
    """The exposed values of one worker; `seen` is the time of its last message (Unix seconds)."""

    wallet: str
    name: str
    version: str
    os: str
    cpu: str
    state: str
    slots: int
    busy_slots: int
    seen: float
    completed: int
    failed: int


class WorkerTally:
    """Replicates that each worker completed or failed since the start of core."""

    def __init__(self) -> None:
        self.completed: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()


def exposition(samples: Sequence[WorkerSample]) -> bytes:
    """Return the series of workers in the text format of Prometheus.

    The library would block the scheduler's event loop for a second with thousands of workers.
    """
    return "".join(_lines(samples)).encode()


def _lines(samples: Sequence[WorkerSample]) -> Iterator[str]:
    wallets = [f'wallet="{each.wallet}"' for each in samples]
    name = "workerpool_core_worker_info"
    yield _head(name, "gauge", "Always 1; the labels describe the worker.")
    for wallet, each in zip(wallets, samples, strict=True):
        known = "".join(f',{label}="{_escaped(getattr(each, label))}"' for label in _KNOWN)
        yield f"{name}{{{wallet}{known}}} 1\n"
    yield from _gauge("slots", "Tasks that the worker computes at once.", wallets, (w.slots for w in samples))
    yield from _gauge("busy_slots", "Slots that hold a task.", wallets, (w.busy_slots for w in samples))
    yield from _gauge(
        "seen_timestamp_seconds",
        "Time of the last message of the worker.",
        wallets,
        (w.seen for w in samples),
    )
    name = "workerpool_core_worker_replicates_total"
    yield _head(name, "counter", "Replicates of the worker that ended since the start of core, by outcome.")
    for wallet, each in zip(wallets, samples, strict=True):
        yield f'{name}{{{wallet},outcome="completed"}} {each.completed}\n'
        yield f'{name}{{{wallet},outcome="failed"}} {each.failed}\n'


def _gauge(suffix: str, text: str, wallets: Sequence[str], values: Iterable[float]) -> Iterator[str]:
    name = f"workerpool_core_worker_{suffix}"
    yield _head(name, "gauge", text)
    for wallet, value in zip(wallets, values, strict=True):
        yield f"{name}{{{wallet}}} {value!r}\n"


def _head(name: str, kind: str, text: str) -> str:
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

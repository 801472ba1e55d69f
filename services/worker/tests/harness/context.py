"""A replicate with stand-ins for everything outside the process except its folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workerpool_kit.clock import FakeClock
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.adapters.files.workspace import DiskWorkspace
from workerpool_worker.adapters.measures import PrometheusMeasures
from workerpool_worker.adapters.stage_durations import StageDurations
from workerpool_worker.app.outbox import Outbox
from workerpool_worker.app.replicate import Replicate, Step
from workerpool_worker.app.replicate_context import Policy, ReplicateContext
from workerpool_worker.domain.assignment import Assignment
from workerpool_worker.domain.fetching.limits import DownloadLimits
from workerpool_worker.domain.host import SlotLimits
from workerpool_worker.domain.record import ReplicateRecord
from workerpool_worker.domain.stages import Stage
from workerpool_worker.domain.updates import Update

from services.worker.tests.doubles.chain import FakeChain
from services.worker.tests.doubles.downloader import FakeDownloader
from services.worker.tests.doubles.engine import FakeEngine
from services.worker.tests.doubles.journal import InMemoryJournal
from services.worker.tests.doubles.result_store import FakeResultStore
from services.worker.tests.doubles.runtime_guard import RecordingRuntimeGuard
from services.worker.tests.harness.builders import TASK_ID, WORKER, assignment

PROXY = "http://proxy.test:13200"
POLICY = Policy(
    "worker", 2, SlotLimits(1.0, 1 << 20, 10), 60, 600, DownloadLimits(total_s=5), ("https://gateway.test",)
)


def unexpected(problem: object) -> Any:
    """Fail the test: no failure was expected here."""
    raise AssertionError(problem)


def make_context(folder: Path, **parts: Any) -> ReplicateContext:
    """Return a context on stand-ins. `parts` replaces some of them."""
    workspace = DiskWorkspace(folder)
    workspace.open()
    values: dict[str, Any] = {
        "wallet_address": WORKER,
        "policy": POLICY,
        "clock": FakeClock(),
        "chain": FakeChain(),
        "engine": FakeEngine(images={"app:1"}),
        "store": FakeResultStore({PROXY}),
        "downloader": FakeDownloader(),
        "workspace": workspace,
        "journal": InMemoryJournal(unexpected),
        "outbox": Outbox(0),
        "timings": StageDurations(10),
        "measures": PrometheusMeasures(),
        "runtime": RecordingRuntimeGuard(),
        "result_proxy_url": PROXY,
    }
    return ReplicateContext(**(values | parts))


def make_replicate(
    context: ReplicateContext,
    *,
    steps: Mapping[Stage, Step] | None = None,
    assigned: Assignment | None = None,
    **record: Any,
) -> Replicate:
    """Return a replicate that the journal holds. `record` are fields of its record."""
    assigned = assigned or assignment()
    state = ReplicateRecord(assigned.task_id, **record)
    context.journal.save_assignment(assigned.wire, state)
    return Replicate(context, steps or {}, assigned, state)


def updates(context: ReplicateContext, task_id: TaskId = TASK_ID) -> list[Update]:
    """Return the pending updates of a task. Durable ones are queued in the next iteration of the event loop."""
    return [update for update in context.outbox.after(0, 1_000) if update.task_id == task_id]


def statuses(context: ReplicateContext, task_id: TaskId = TASK_ID) -> list[ReplicateStatus]:
    """Return the statuses of the pending updates of a task."""
    return [update.status for update in updates(context, task_id)]

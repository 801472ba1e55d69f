"""The execution of replicates by a worker: stages up to the contribution, then reveal and upload."""

from collections.abc import Callable
from typing import Any, Protocol

from workerpool_poco.protocol.statuses import (
    ChainTaskStatus,
    ContributionStatus,
    ReplicateStatus,
    ReplicateStatusCause,
)

from workerpool_core.domain.model import Receipt
from workerpool_core.simulation.behaviours import LARGE_SLOT_BYTES, AppBehaviour, WorkerBehaviour
from workerpool_core.simulation.chain.hub import Transaction
from workerpool_core.simulation.checks.violation import must
from workerpool_core.simulation.environment import Environment
from workerpool_core.simulation.worker.journal import Entry, Journal

_R = ReplicateStatus
_C = ReplicateStatusCause
_NEXT_STAGE = {
    _R.CREATED: _R.STARTING,
    _R.STARTED: _R.APP_DOWNLOADING,
    _R.APP_DOWNLOADED: _R.DATA_DOWNLOADING,
    _R.DATA_DOWNLOADED: _R.COMPUTING,
}
_STAGE_ENDS = {
    _R.STARTING: (_R.STARTED, _R.START_FAILED, _C.CHAIN_UNREACHABLE),
    _R.APP_DOWNLOADING: (_R.APP_DOWNLOADED, _R.APP_DOWNLOAD_FAILED, _C.UNKNOWN),
    _R.DATA_DOWNLOADING: (_R.DATA_DOWNLOADED, _R.DATA_DOWNLOAD_FAILED, _C.UNKNOWN),
    _R.COMPUTING: (_R.COMPUTED, _R.COMPUTE_FAILED, _C.APP_COMPUTE_FAILED),
}
_CONTRIBUTION_SENT = (_R.CONTRIBUTING, _R.CONTRIBUTED, _R.CONTRIBUTE_AND_FINALIZE_ONGOING, _R.REVEALING)
_CAF_ONGOING = _R.CONTRIBUTE_AND_FINALIZE_ONGOING
Mined = Callable[[Entry, bool], None]


class ProcessPort(Protocol):
    """The worker's process as the execution needs it."""

    wallet: str
    slot_bytes: int
    journal: Journal
    process: int

    def is_running(self, process: int) -> bool:
        """Return whether a process is still running."""

    def later(self, delay: float, call: Callable[[], None]) -> None:
        """Schedule a callback after a delay in seconds, unless the process crashes before."""

    def report(self, entry: Entry, status: ReplicateStatus, **details: Any) -> None:
        """Set a status and report it."""


class Execution:
    """The executor of the replicates of one worker process."""

    def __init__(self, environment: Environment, worker: ProcessPort) -> None:
        self._environment = environment
        self._worker = worker
        self._driven: set[str] = set()

    def drive(self, entry: Entry) -> None:
        """Continue a replicate up to its contribution, once per process."""
        if entry.task_id not in self._driven and self._worker.journal.has(entry):
            self._driven.add(entry.task_id)
            self._next(entry)

    def _next(self, entry: Entry) -> None:
        if not self._worker.journal.has(entry):
            return
        if entry.status in _NEXT_STAGE:
            self._worker.report(entry, _NEXT_STAGE[entry.status])
        if entry.status in _STAGE_ENDS:
            stage = entry.status
            if not self._falls_silent():
                self._worker.later(self._duration(entry, stage), lambda: self._end_stage(entry, stage))
        elif entry.is_error and not entry.is_wanted:
            pass
        elif entry.has_result and entry.status in (_R.COMPUTED, _R.APP_DOWNLOAD_FAILED):
            self._contribute(entry)
        elif entry.status in (_R.CONTRIBUTING, _CAF_ONGOING):
            if self._has_contributed(entry):
                self._contribution_mined(entry, True)
            else:
                self._send_contribution(entry)
        elif entry.status is _R.REVEALING:
            self._send(entry, "reveal", self._reveal_mined)
        elif entry.status is _R.RESULT_UPLOADING:
            self._upload_later(entry)

    def _falls_silent(self) -> bool:
        silent = self._environment.behaviour(self._worker.wallet) is WorkerBehaviour.SILENT
        return silent and self._environment.random.random() < 0.4

    def _duration(self, entry: Entry, stage: ReplicateStatus) -> float:
        if stage is _R.COMPUTING and self._environment.app(entry.task_id) is AppBehaviour.SLOW:
            return float(self._environment.terms[entry.task_id].max_execution_s)
        return self._environment.random.uniform(0.1, 15.0 if stage is _R.COMPUTING else 2.0)

    def _failure(self, entry: Entry) -> tuple[ReplicateStatusCause, int | None] | None:
        """Return the cause and the exit code of an app that fails on this worker; None for a success."""
        wallet = self._worker.wallet
        if self._environment.behaviour(wallet) is WorkerBehaviour.LYING:
            return _C.APP_COMPUTE_FAILED, 99
        match self._environment.app(entry.task_id):
            case AppBehaviour.EXITS:
                return _C.APP_COMPUTE_FAILED, 3
            case AppBehaviour.DIFFERS:
                return _C.APP_COMPUTE_FAILED, 100 + int(wallet.removeprefix("0xW"))
            case AppBehaviour.SLOW:
                return _C.APP_COMPUTE_TIMEOUT, None
            case AppBehaviour.LARGE if self._worker.slot_bytes < LARGE_SLOT_BYTES:
                return _C.APP_OUT_OF_MEMORY, None
            case _:
                return None

    def _end_stage(self, entry: Entry, stage: ReplicateStatus) -> None:
        if not self._worker.journal.has(entry) or entry.status is not stage:
            return
        environment, worker = self._environment, self._worker
        done, failed, cause = _STAGE_ENDS[stage]
        if stage is _R.STARTING:
            task = environment.chain.task(entry.task_id)
            if task is None or task.status is not ChainTaskStatus.ACTIVE:
                worker.report(entry, failed, cause=_C.TASK_NOT_ACTIVE)
                return
        if environment.stage_fails(worker.wallet):
            broken = environment.behaviour(worker.wallet) is WorkerBehaviour.BROKEN
            worker.report(entry, failed, cause=_C.HOST_FAILED if broken else cause)
            return
        is_missing = environment.app(entry.task_id) is AppBehaviour.MISSING
        if stage is _R.APP_DOWNLOADING and (
            is_missing or environment.happens(environment.faults.missing_image)
        ):
            self._report_error(entry, failed, _C.APP_IMAGE_DOWNLOAD_FAILED, None)
            return
        failure = self._failure(entry) if stage is _R.COMPUTING else None
        if failure is not None:
            self._report_error(entry, done, *failure)
            return
        if stage is _R.COMPUTING:
            entry.has_result = True
            wrong = environment.happens(environment.faults.wrong_result)
            entry.value = "0x" + ("bb" if wrong else "aa") * 32
            worker.report(entry, done, stdout="out", exit_code=0)
        else:
            worker.report(entry, done)
        self._next(entry)

    # --- contribution -----------------------------------------------------------------------

    def _contribute(self, entry: Entry) -> None:
        idle = self._environment.behaviour(self._worker.wallet) is WorkerBehaviour.IDLE
        if idle and self._environment.random.random() < 0.5:
            return
        self._worker.report(entry, _CAF_ONGOING if entry.caf else _R.CONTRIBUTING)
        if idle or self._environment.happens(self._environment.faults.false_report):
            done = _R.CONTRIBUTE_AND_FINALIZE_DONE if entry.caf else _R.CONTRIBUTED
            self._worker.report(entry, done, receipt=Receipt(10**9, "0xfalse"))
        else:
            self._send_contribution(entry)

    def _report_error(
        self, entry: Entry, status: ReplicateStatus, cause: ReplicateStatusCause, exit_code: int | None
    ) -> None:
        """Turn a failure into an error result, and wait for the decision on it."""
        entry.has_result, entry.is_error, entry.caf = True, True, False
        kind = list(_C).index(cause) * 1000 + (exit_code or 0)
        entry.value = "0x" + f"ee{kind:x}".zfill(64)
        message = f"The app failed: {cause}."
        self._worker.report(entry, status, cause=cause, exit_code=exit_code, error_message=message)

    def contribute_again(self, entry: Entry) -> None:
        """Contribute an error result, or resend a contribution that is missing on chain."""
        if entry.is_error and not entry.is_wanted:
            entry.is_wanted = True
            self._next(entry)
        elif entry.status in _CONTRIBUTION_SENT and not self._has_contributed(entry):
            self._send_contribution(entry)

    def _has_contributed(self, entry: Entry) -> bool:
        task = self._environment.chain.head.state.get(entry.task_id)
        return task is not None and self._worker.wallet in task.contributions

    def _send_contribution(self, entry: Entry) -> None:
        kind = "contribute_and_finalize" if entry.caf else "contribute"
        self._send(entry, kind, self._contribution_mined)

    def _contribution_mined(self, entry: Entry, succeeded: bool) -> None:
        if entry.status not in (_R.CONTRIBUTING, _CAF_ONGOING):
            return
        caf = entry.status is _CAF_ONGOING
        if succeeded or self._has_contributed(entry):
            if self._environment.happens(0.7):
                done = _R.CONTRIBUTE_AND_FINALIZE_DONE if caf else _R.CONTRIBUTED
                self._worker.report(entry, done, receipt=Receipt(1, "0xtx"))
        else:
            failed = _R.CONTRIBUTE_AND_FINALIZE_FAILED if caf else _R.CONTRIBUTE_FAILED
            self._worker.report(entry, failed, cause=_C.TASK_NOT_ACTIVE)

    # --- reveal and upload ------------------------------------------------------------------

    def reveal(self, entry: Entry) -> None:
        """Reveal a contribution."""
        if entry.status is not _R.REVEALING:
            self._worker.report(entry, _R.REVEALING)
        self._send(entry, "reveal", self._reveal_mined)

    def _reveal_mined(self, entry: Entry, succeeded: bool) -> None:
        if entry.status is not _R.REVEALING:
            return
        task = self._environment.chain.head.state.get(entry.task_id)
        found = task.contributions.get(self._worker.wallet) if task is not None else None
        proved = found is not None and found[0] is ContributionStatus.PROVED
        if succeeded or proved:
            self._worker.report(entry, _R.REVEALED, receipt=Receipt(1, "0xtx"))
        else:
            self._worker.report(entry, _R.REVEAL_FAILED, cause=_C.CANNOT_REVEAL)

    def upload(self, entry: Entry) -> None:
        """Upload a result."""
        self._worker.report(entry, _R.RESULT_UPLOADING)
        self._upload_later(entry)

    def _upload_later(self, entry: Entry) -> None:
        self._worker.later(self._environment.random.uniform(0.1, 10.0), lambda: self._end_upload(entry))

    def _end_upload(self, entry: Entry) -> None:
        environment, worker = self._environment, self._worker
        if not worker.journal.has(entry) or entry.status is not _R.RESULT_UPLOADING:
            return
        if environment.stage_fails(worker.wallet):
            worker.report(entry, _R.RESULT_UPLOAD_FAILED, cause=_C.UNKNOWN)
            return
        must(entry.has_result, "upload without a result:", entry.task_id)
        if not environment.happens(environment.faults.false_report):
            environment.archives.add(entry.task_id)
        worker.report(entry, _R.RESULT_UPLOADED, result_link="/results/" + entry.task_id)

    # --- transactions -----------------------------------------------------------------------

    def _send(self, entry: Entry, kind: str, mined: Mined) -> None:
        worker = self._worker
        process = worker.process

        def done(succeeded: bool, _block: int) -> None:
            if worker.is_running(process) and worker.journal.has(entry):
                mined(entry, succeeded)

        if self._is_in_mempool(entry, kind):
            # An earlier process sent it, so this one must poll.
            worker.later(5.0, lambda: self._poll(entry, kind, mined))
        else:
            transaction = Transaction(kind, entry.task_id, worker.wallet, entry.value, done=done)
            self._environment.chain.send(transaction)

    def _is_in_mempool(self, entry: Entry, kind: str) -> bool:
        wanted = (kind, entry.task_id, self._worker.wallet)
        return any((t.kind, t.task_id, t.sender) == wanted for t in self._environment.chain.mempool)

    def _poll(self, entry: Entry, kind: str, mined: Mined) -> None:
        if not self._worker.journal.has(entry):
            return
        if self._is_in_mempool(entry, kind):
            self._worker.later(5.0, lambda: self._poll(entry, kind, mined))
        else:
            mined(entry, False)

"""The report of `poolworker status`, as values and as lines of text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from workerpool_kit.text.spans import span
from workerpool_poco.protocol.encoding.amounts import coins, rlc
from workerpool_poco.protocol.statuses import ReplicateStatus

from workerpool_worker.domain.record import ReplicateRecord

_S = ReplicateStatus
_AT_STAKE = frozenset(
    {
        *(_S.CONTRIBUTED, _S.REVEALING, _S.REVEAL_FAILED, _S.REVEALED, _S.RESULT_UPLOADING),
        *(_S.RESULT_UPLOAD_FAILED, _S.RESULT_UPLOADED, _S.COMPLETING),
    }
)
"""Statuses of a replicate whose contribution is on chain and not paid yet."""
_UNKNOWN = "unknown"
_LAST_DATE = 253_402_300_799.0
"""The end of the year 9999. A node may report any time for a block."""


@dataclass(frozen=True, slots=True)
class HeldReplicate:
    """A replicate: its task, its stage and last status, and since when it has this status (Unix seconds)."""

    task_id: str
    stage: str
    status: str
    since: float
    app: str


@dataclass(frozen=True, slots=True)
class Earned:
    """Rewards and seized stake in nRLC since a time (Unix seconds), with the numbers of tasks."""

    since: float
    earned: int
    tasks: int
    seized: int
    faults: int


@dataclass(slots=True)
class StatusReport:
    """The state of a worker. None or an empty text means that a value could not be read."""

    version: str
    wallet: str = ""
    pool: str = ""
    core: str = ""
    pid: int | None = None
    is_elsewhere: bool = False
    """Whether `pid` is no process here: the worker runs in a container, or its process is unknown."""
    connected: bool | None = None
    slots: int | None = None
    used_slots: int | None = None
    replicates: list[HeldReplicate] = field(default_factory=list)
    unanswered: int = 0
    earned: Earned | None = None
    pending_tasks: int = 0
    pending_max: int | None = None
    """The most that the contributions which are not paid yet can earn, in nRLC."""
    stake: int | None = None
    locked: int | None = None
    balance: int | None = None
    transactions_left: int | None = None
    """Transactions that the coins pay for; None with a known balance when gas is free."""
    pulls: list[str] = field(default_factory=list)
    """A sentence for each image that is being pulled."""
    waiting_uploads: list[str] = field(default_factory=list)
    """A sentence for each result that is not uploaded yet because an upload failed."""
    troubles: list[str] = field(default_factory=list)
    """What the worker's own health names."""
    idle_reason: str = ""
    unread: list[str] = field(default_factory=list)
    """What could not be read, and why."""


def is_at_stake(record: ReplicateRecord) -> bool:
    """Return whether a contribution of the replicate is on chain and not paid yet."""
    return record.status in _AT_STAKE


def max_reward(price: int, scheduler_ratio: int) -> int:
    """Return the most that one worker earns with a task of a price (nRLC): all but the scheduler's percentage."""
    return price * (100 - scheduler_ratio) // 100


def why_no_work(report: StatusReport) -> str:
    """Return why the worker gets no work, as far as it is known; empty while it gets as much as it can take."""
    if report.pid is None:
        return "The worker does not run. Start it with: poolworker run, or systemctl start poolworker."
    if report.troubles:
        return " ".join(report.troubles)
    return report.idle_reason


def lines(report: StatusReport, now: float) -> Iterator[str]:
    """Yield the report line by line, as it is at `now` (Unix seconds)."""
    yield f"worker      {report.version}, {_running(report)}"
    yield f"wallet      {report.wallet or _UNKNOWN}"
    yield f"pool        {report.pool or _UNKNOWN} at {report.core}{_connection(report)}"
    if report.slots is not None:
        yield f"slots       {report.used_slots} of {report.slots} in use"
    yield f"replicates  {len(report.replicates)}"
    for each in report.replicates:
        since = f"for {span(now - each.since)}" if each.since else "just assigned"
        yield f"  {each.task_id}  {each.status}, next step {each.stage}, {since}, {each.app}"
    for pull in report.pulls:
        yield f"pull        {pull}"
    for upload in report.waiting_uploads:
        yield f"upload      {upload}"
    if report.unanswered:
        yield f"unanswered  {report.unanswered} status updates wait for the scheduler"
    yield f"earned      {_earned(report.earned)}"
    yield f"pending     {_pending(report)}"
    yield f"stake       {_stake(report)}"
    yield f"gas         {_gas(report)}"
    yield f"no work     {why_no_work(report) or 'it has all the work that it can take'}"
    for unread in report.unread:
        yield f"not read    {unread}"


def _running(report: StatusReport) -> str:
    if report.pid is None:
        return "does not run"
    if report.is_elsewhere:
        return "runs in a container" if report.pid else "runs"
    return f"runs as process {report.pid}"


def _connection(report: StatusReport) -> str:
    if report.connected is None:
        return ""
    return ", connected" if report.connected else ", not connected"


def _earned(earned: Earned | None) -> str:
    if earned is None:
        return _UNKNOWN
    since = (
        datetime.fromtimestamp(min(earned.since, _LAST_DATE), UTC).isoformat(timespec="minutes")[:16] + "Z"
    )
    lost = f"; lost {rlc(earned.seized)} in {earned.faults} tasks" if earned.faults else ""
    return f"{rlc(earned.earned)} in {earned.tasks} tasks since {since}{lost}"


def _pending(report: StatusReport) -> str:
    if not report.pending_tasks:
        return "nothing"
    most = _UNKNOWN if report.pending_max is None else f"at most {rlc(report.pending_max)}"
    return f"{most} for {report.pending_tasks} contributions that are not paid yet"


def _stake(report: StatusReport) -> str:
    if report.stake is None or report.locked is None:
        return _UNKNOWN
    return f"{rlc(report.stake)} free, {rlc(report.locked)} locked"


def _gas(report: StatusReport) -> str:
    if report.balance is None:
        return _UNKNOWN
    if report.transactions_left is None:
        return "free on this chain"
    return f"{report.transactions_left} transactions left ({coins(report.balance)})"

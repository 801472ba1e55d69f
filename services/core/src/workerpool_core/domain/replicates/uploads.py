"""Who uploads the result: one revealed worker at a time, another when he fails or is silent (core spec §1.2)."""

from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_poco.protocol.result_link import STORAGE_IPFS
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

from workerpool_core.domain.decisions import CheckResult
from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.model import Action, Replicate, Task
from workerpool_core.domain.replicates.replicate_machine import missing_statuses
from workerpool_core.domain.timers import Alarm

_R = ReplicateStatus
_UPLOADS = (_R.RESULT_UPLOAD_REQUESTED, _R.RESULT_UPLOADING)


def has_callback(task: Task) -> bool:
    """Tell whether the result goes to a contract of the requester's."""
    return task.terms.callback not in ("", ZERO_ADDRESS)


def lies_in_proxy(task: Task) -> bool:
    """Tell whether the result goes to a result proxy: no callback, and no storage of the requester's."""
    return not has_callback(task) and task.terms.storage_provider in ("", STORAGE_IPFS)


def advance(turn: Turn, task: Task) -> None:
    """Take the result if a worker delivered it; see to it that some worker is on it if not."""
    for replicate in task.replicates.values():
        if replicate.ever(_R.RESULT_UPLOADED):
            _delivered(turn, task, replicate)
            return
    if task.status is TaskStatus.RESULT_UPLOADING and _is_on_it(turn, task.replicates.get(task.uploader)):
        return
    busy = [r for r in task.replicates.values() if _is_on_it(turn, r)]
    if busy:
        _entrust(turn, task, busy[0])
        return
    candidates = _candidates(turn, task)
    if candidates:
        _dismiss(turn, task)
        chosen = turn.state.random.choice(candidates)
        turn.move_replicate(chosen, _R.RESULT_UPLOAD_REQUESTED)
        turn.command(chosen.wallet, task.task_id, Action.UPLOAD)
        _entrust(turn, task, chosen)
    elif task.status is TaskStatus.RESULT_UPLOADING and not turn.state.timers.is_set(
        Alarm.UPLOAD, task.task_id
    ):
        _arm(turn, task)


def _is_on_it(turn: Turn, replicate: Replicate | None) -> bool:
    if replicate is None or turn.state.workers[replicate.wallet].lost:
        return False
    return replicate.last_relevant in _UPLOADS


def _candidates(turn: Turn, task: Task) -> list[Replicate]:
    """Return the replicates that revealed and did nothing since; those whose worker is connected, if any."""
    workers = turn.state.workers
    revealed = [
        replicate
        for _, replicate in sorted(task.replicates.items())
        if replicate.last_relevant is _R.REVEALED and not workers[replicate.wallet].lost
    ]
    return [r for r in revealed if workers[r.wallet].session] or revealed


def _dismiss(turn: Turn, task: Task) -> None:
    """The uploader had his chance: his order is withdrawn, and the record says that he failed."""
    uploader = task.replicates.get(task.uploader)
    if uploader is None or uploader.last_relevant not in _UPLOADS:
        return
    turn.drop_commands(turn.state.workers[uploader.wallet], task.task_id)
    # The tables know no way from the request to the failure but through the upload.
    for status in (*missing_statuses(uploader, _R.RESULT_UPLOADING), _R.RESULT_UPLOAD_FAILED):
        turn.move_replicate(uploader, status)


def _entrust(turn: Turn, task: Task, replicate: Replicate) -> None:
    turn.move_task(task, TaskStatus.RESULT_UPLOADING, uploader=replicate.wallet, upload_requested_at=turn.now)
    _arm(turn, task)


def _arm(turn: Turn, task: Task) -> None:
    turn.state.timers.set(Alarm.UPLOAD, task.task_id, turn.now + turn.state.policy.upload_timeout_s)


def _delivered(turn: Turn, task: Task, replicate: Replicate) -> None:
    if task.status is TaskStatus.AT_LEAST_ONE_REVEALED:
        turn.move_task(task, TaskStatus.RESULT_UPLOADING, uploader=replicate.wallet)
    turn.state.timers.cancel(Alarm.UPLOAD, task.task_id)
    turn.move_task(
        task,
        TaskStatus.RESULT_UPLOADED,
        uploader=replicate.wallet,
        result_link=replicate.result_link,
        callback_data=replicate.callback_data,
    )


def is_expected(task: Task, replicate: Replicate) -> bool:
    """Tell whether the uploader has still to deliver."""
    return task.status is TaskStatus.RESULT_UPLOADING and not replicate.ever(_R.RESULT_UPLOADED)


def check(turn: Turn, task: Task) -> None:
    """Ask the result proxy whether it holds the archive."""
    turn.effects.append(CheckResult(task.task_id, task.terms.storage_proxy))


def overdue(turn: Turn, task: Task) -> None:
    """The uploader was silent too long: ask the proxy first, it may hold the result already."""
    if task.status is not TaskStatus.RESULT_UPLOADING:
        return
    if lies_in_proxy(task):
        turn.state.timers.set(Alarm.UPLOAD, task.task_id, turn.now + turn.state.policy.read_timeout_s)
        check(turn, task)
    else:
        replace(turn, task)


def is_overdue(turn: Turn, task: Task) -> bool:
    """Tell whether the uploader had his time."""
    return turn.now >= task.upload_requested_at + turn.state.policy.upload_timeout_s


def replace(turn: Turn, task: Task) -> None:
    """Let another worker upload; when there is nobody else, ask the same one once more."""
    uploader = task.replicates.get(task.uploader)
    if _candidates(turn, task):
        _dismiss(turn, task)
        turn.touched[task.task_id] = None
        return
    _arm(turn, task)
    if uploader is None or uploader.status in (_R.ABORTED, _R.FAILED, _R.COMPLETED):
        return
    worker = turn.state.workers[uploader.wallet]
    waits = any(c.task_id == task.task_id and c.action is Action.UPLOAD for c in worker.pending.values())
    # Who is away gets the order that waits for him when he comes back.
    if worker.session or not waits:
        turn.command(uploader.wallet, task.task_id, Action.UPLOAD)
        turn.set_task(task, upload_requested_at=turn.now)


def stored(turn: Turn, task: Task, result_link: str) -> None:
    """The proxy holds the archive: whoever was asked has delivered, whether or not he could say so."""
    replicate = task.replicates.get(task.uploader)
    if replicate is None or replicate.ever(_R.RESULT_UPLOADED):
        return
    statuses = missing_statuses(replicate, _R.RESULT_UPLOADED)
    for status in statuses:
        turn.move_replicate(replicate, status)
    if statuses and not replicate.result_link:
        turn.set_replicate(replicate, result_link=result_link)

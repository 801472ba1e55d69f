"""Why workers get no work."""

from collections.abc import Mapping

from workerpool_poco.protocol.causes import Side

from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.table.meaning import ITSELF, Meaning, Subject

_R = ReasonCode


def _workers(side: Side | None, meaning: str, next_step: str, *evidence: str) -> Meaning:
    return Meaning(Subject.WORKER, side, meaning, next_step, evidence)


WORKERS: Mapping[ReasonCode, Meaning] = {
    _R.WORKER_REFUSED: _workers(
        Side.WORKER,
        "Core refused the last login of the worker.",
        "Correct what the refusal names and start the worker again.",
        "refusal",
        "times",
        "refused_at",
    ),
    _R.WORKER_DISCONNECTED: _workers(
        Side.WORKER, "The worker is not connected.", "Start it, or read its log if it runs.", "last_seen"
    ),
    _R.WORKER_AWAY: _workers(
        Side.WORKER,
        "The worker stopped and announced when it returns.",
        "No action is needed before that time.",
        "last_seen",
    ),
    _R.WORKER_UNLISTED: _workers(
        Side.POOL,
        "The wallet is not on the pool's whitelist.",
        "Ask the pool's operator to add it.",
    ),
    _R.WORKER_DRAINED: _workers(
        Side.POOL, "The pool's operator is draining the worker.", "Ask the operator to end the drain."
    ),
    _R.WORKER_QUARANTINED: _workers(
        Side.WORKER,
        "The worker is in quarantine after failures, or by order of the operator.",
        "Read its log for their cause. The operator can release it.",
        "failures",
        "by_operator",
    ),
    _R.WORKER_PARKED: _workers(
        Side.WORKER,
        "The worker takes no work because of a problem of its host.",
        "Correct what it names; it then takes work again.",
        "parked_reason",
    ),
    _R.WORKER_WITHOUT_GAS: _workers(
        Side.WORKER,
        "The wallet has no gas for a contribution, or core has not read its balance yet.",
        "Fund the wallet.",
    ),
    _R.WORKER_SILENT: _workers(
        Side.WORKER,
        "The worker did not start its last assignments in time.",
        "It gets work again once it reports one.",
        "unanswered",
    ),
    _R.WORKER_WITHOUT_MEMORY: _workers(
        Side.WORKER,
        "The host has less memory than the pool requires for one slot.",
        "Give it more memory, or ask the operator to lower WORKERPOOL_CORE_SLOT_MEMORY_MIB.",
        "memory_bytes",
        "needed_bytes",
    ),
    _R.WORKER_BUSY: _workers(None, "All its slots are in use.", ITSELF, "slots"),
    _R.NO_TASK_WAITS: _workers(None, "No task waits for a worker.", "Work comes when requesters buy it."),
    _R.NO_TASK_FITS: _workers(
        Side.WORKER,
        "It can take none of the waiting tasks.",
        "Give it what most of the tasks need, or wait for other tasks.",
        "waiting_tasks",
        "wrong_hardware",
        "tried",
        "without_stake",
    ),
    _R.TASK_IS_COMING: _workers(
        None, "Tasks that it can take wait; it should get one within seconds.", ITSELF
    ),
}
"""The rows."""

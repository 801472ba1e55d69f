"""The reason of each obstacle: one sentence on what keeps all workers from a task, with the numbers behind it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from workerpool_kit.text.spans import utc

from workerpool_core.domain.dispatch.hardware import needs_enclave, requirement_of
from workerpool_core.domain.dispatch.obstacles import BlockedWorkers, Needs, Obstacle
from workerpool_core.domain.explanations.conditions import RefusedLogin
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason
from workerpool_core.domain.state import State

_R = ReasonCode
_FOREVER = float("inf")


class Case(NamedTuple):
    """Workers that are blocked from a task. `refusals` are the recently refused logins, the newest first."""

    state: State
    needs: Needs
    blocked: BlockedWorkers
    refusals: tuple[RefusedLogin, ...] = ()

    @property
    def wallet(self) -> str:
        """One of the workers that only the last obstacle keeps."""
        return self.blocked.workers[0].worker.wallet


def obstacle_reason(case: Case) -> Explanation:
    """Return why none of the workers takes the task: the last obstacle that all of them share."""
    return _REASONS[case.blocked.obstacle](case)


def _disconnected(case: Case) -> Explanation:
    if not case.refusals:
        return reason(_R.NO_WORKER_CONNECTED, evidence=case.blocked.counts)
    wallets, newest = {each.wallet for each in case.refusals}, case.refusals[0]
    # A refusal message may quote the caller; requesters see only the reason.
    message = (
        f"No worker is connected, and core refused {len(wallets)} of them, "
        f"the last one {newest.wallet} for {newest.reason}."
    )
    return reason(
        _R.WORKERS_REFUSED,
        message,
        evidence={
            **case.blocked.counts,
            "refused_wallets": len(wallets),
            "last_refused_wallet": newest.wallet,
            "last_refusal": newest.reason,
            "last_refused_at": utc(newest.last_at),
        },
    )


def _wrong_hardware(case: Case) -> Explanation:
    tag = case.needs.tag
    code = _R.NO_WORKER_WITH_ENCLAVE if needs_enclave(tag) else _R.NO_WORKER_WITH_GPU
    message = "No connected worker has the hardware that the tag requires."
    framework = requirement_of(tag).framework
    named = {"framework": framework.name} if framework is not None else {}
    return reason(code, message, evidence={"tag": tag, **named, **case.blocked.counts})


def _tried(case: Case) -> Explanation:
    trust = case.needs.trust
    agreement = f" Trust {trust} needs workers that agree." if trust > 1 else ""
    message = f"Every connected worker has tried the task already.{agreement}"
    return reason(_R.ALL_WORKERS_TRIED, message, evidence=case.blocked.counts)


def _too_small(case: Case) -> Explanation:
    message = "No connected worker that could take the task has a slot with enough memory."
    return reason(_R.NO_WORKER_WITH_MEMORY, message, evidence=case.blocked.counts)


def _unlisted(case: Case) -> Explanation:
    return reason(_R.ALL_WORKERS_UNLISTED, evidence=case.blocked.counts)


def _drained(case: Case) -> Explanation:
    end = min(live.worker.drained_until for live in case.blocked.workers)
    message = "All workers that could take the task are drained by the operator"
    if end == _FOREVER:
        return reason(_R.ALL_WORKERS_DRAINED, f"{message}.", evidence=case.blocked.counts)
    message = f"{message}, until {utc(end)}."
    return reason(
        _R.ALL_WORKERS_DRAINED, message, next_step="It starts then.", until=end, evidence=case.blocked.counts
    )


def _quarantined(case: Case) -> Explanation:
    first = min(case.blocked.workers, key=lambda live: live.worker.quarantine_end).worker
    end = first.quarantine_end
    cause = "by the operator" if first.suspended_until >= end else "after failures"
    message = f"All workers that could take the task are in quarantine {cause}"
    evidence = {**case.blocked.counts, "wallet": first.wallet, "failures": first.consecutive_failures}
    if end == _FOREVER:
        next_step = "It starts when the operator releases a worker."
        return reason(_R.ALL_WORKERS_QUARANTINED, f"{message}.", next_step=next_step, evidence=evidence)
    message = f"{message}, until {utc(end)}."
    return reason(
        _R.ALL_WORKERS_QUARANTINED, message, next_step="It starts then.", until=end, evidence=evidence
    )


def _parked(case: Case) -> Explanation:
    # Omit the workers' own explanations: requesters must not see text that a worker chose.
    return reason(_R.ALL_WORKERS_PARKED, evidence={**case.blocked.counts, "wallet": case.wallet})


def _without_gas(case: Case) -> Explanation:
    return reason(_R.ALL_WORKERS_WITHOUT_GAS, evidence={**case.blocked.counts, "wallet": case.wallet})


def _without_stake(case: Case) -> Explanation:
    stake = case.needs.worker_stake
    return reason(
        _R.ALL_WORKERS_WITHOUT_STAKE,
        f"No worker that could take the task has the stake of {stake} nRLC that the deal demands.",
        evidence={"worker_stake": stake, **case.blocked.counts, "wallet": case.wallet},
    )


def _newcomers(case: Case) -> Explanation:
    limit = case.state.policy.newcomer_assignments
    return reason(_R.ALL_WORKERS_NEW, evidence={"limit": limit, **case.blocked.counts})


def _silent(case: Case) -> Explanation:
    return reason(_R.ALL_WORKERS_SILENT, evidence={**case.blocked.counts, "wallet": case.wallet})


def _busy(case: Case) -> Explanation:
    message = f"All slots of the {len(case.blocked.workers)} workers that can take the task are in use."
    return reason(
        _R.NO_FREE_SLOT, message, evidence={**case.blocked.counts, "waiting_tasks": len(case.state.waiting)}
    )


def _free(case: Case) -> Explanation:
    return reason(_R.WAITING_FOR_WORKER, evidence=case.blocked.counts)


_REASONS: Mapping[Obstacle, Callable[[Case], Explanation]] = {
    Obstacle.DISCONNECTED: _disconnected,
    Obstacle.WRONG_HARDWARE: _wrong_hardware,
    Obstacle.TRIED: _tried,
    Obstacle.TOO_SMALL: _too_small,
    Obstacle.UNLISTED: _unlisted,
    Obstacle.DRAINED: _drained,
    Obstacle.QUARANTINED: _quarantined,
    Obstacle.PARKED: _parked,
    Obstacle.WITHOUT_GAS: _without_gas,
    Obstacle.WITHOUT_STAKE: _without_stake,
    Obstacle.NEWCOMERS: _newcomers,
    Obstacle.SILENT: _silent,
    Obstacle.BUSY: _busy,
    Obstacle.FREE: _free,
}

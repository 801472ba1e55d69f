"""Detection of tasks that the workers of the pool can never satisfy together.

A task is reported at once, and withdrawn when suitable workers join. Every registered worker that is not lost counts,
whether or not it has a free slot, stake or gas now: these change by themselves. Hardware and the number of workers do
not.
"""

from collections.abc import Iterable
from itertools import islice

from workerpool_poco.protocol.consensus import MIN_WEIGHT, contributions_needed, needs_more_contributions

from workerpool_core.domain.decisions import TaskUnsatisfiable
from workerpool_core.domain.dispatch.dispatcher import slots_of
from workerpool_core.domain.dispatch.hardware import Requirement, capability_of, requirement_of
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason
from workerpool_core.domain.live import LiveTask, LiveWorker
from workerpool_core.domain.model import DealTerms
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.state import State
from workerpool_core.domain.timers import Timeout

_RECHECK_S = 1.0
"""Delay in seconds before a recheck, because thousands of workers may connect at once."""
_MAX_WEIGHTS = 128
"""Workers that certainly satisfy the largest trust."""


def lacking(workers: Iterable[LiveWorker], policy: Policy, terms: DealTerms) -> str:
    """Return what all registered workers together lack for a task of a deal; empty when nothing."""
    found = find_lack(workers, policy, terms)
    return "" if found is None else found.message


def find_lack(workers: Iterable[LiveWorker], policy: Policy, terms: DealTerms) -> Explanation | None:
    """Return what all registered workers together lack for a task of a deal, as a reason; None when nothing.

    A pool without workers lacks nothing: it waits for its first worker.
    """
    present = [live for live in workers if not live.worker.lost]
    if not present:
        return None
    requirement = requirement_of(terms.tag)
    fitting = [live for live in present if capability_of(live.worker.model).meets(requirement)]
    if not fitting:
        message = f"no worker has the hardware that the tag requires: {_name(requirement)}"
        has_enclave = any(
            capability_of(live.worker.model).meets(requirement._replace(gpu=False)) for live in present
        )
        if has_enclave:
            return reason(ReasonCode.NO_WORKER_WITH_GPU, message, evidence={"tag": terms.tag})
        framework = requirement.framework.name if requirement.framework is not None else ""
        return reason(
            ReasonCode.NO_WORKER_WITH_ENCLAVE, message, evidence={"tag": terms.tag, "framework": framework}
        )
    able = [live for live in fitting if slots_of(live.worker, policy.slot_memory_bytes) > 0]
    if not able:
        mib = policy.slot_memory_bytes // 2**20
        message = f"no worker has the memory for one task: {mib} MiB (WORKERPOOL_CORE_SLOT_MEMORY_MIB)"
        return reason(
            ReasonCode.NO_WORKER_WITH_MEMORY, message, evidence={"needed_bytes": policy.slot_memory_bytes}
        )
    weights = [max(live.weight, MIN_WEIGHT) for live in islice(able, _MAX_WEIGHTS)]
    if needs_more_contributions(terms.trust, (), weights):
        needed = contributions_needed(terms.trust)
        return reason(
            ReasonCode.TRUST_TOO_HIGH,
            f"trust {terms.trust} needs up to {needed} workers that agree, and the pool has {len(able)}",
            evidence={"trust": terms.trust, "workers_needed": needed, "workers_fitting": len(able)},
        )
    return None


def _name(requirement: Requirement) -> str:
    parts = [] if requirement.framework is None else [f"the enclave of {requirement.framework.name}"]
    return " and ".join(parts + (["a GPU"] if requirement.gpu else []))


def verdict(state: State, terms: DealTerms) -> str:
    """Return what the pool's workers together lack for a task of a deal; kept until the workers change."""
    key = (terms.trust, terms.tag)
    found = state.verdicts.get(key)
    if found is None:
        found = state.verdicts[key] = lacking(state.workers.values(), state.policy, terms)
    return found


def check(context: EventContext, live: LiveTask) -> None:
    """Report that a task cannot be satisfied, or that it can be again; do nothing if that is unchanged."""
    found = verdict(context.state, live.task.terms)
    if found != live.unsatisfiable:
        live.unsatisfiable = found
        context.effects.append(TaskUnsatisfiable(live.task.task_id, found))


def workers_changed(context: EventContext) -> None:
    """Schedule a recheck after a worker registered, returned or was lost."""
    state = context.state
    state.verdicts.clear()
    if not state.timers.is_set(Timeout.WORKERS_CHANGED, ""):
        state.timers.set(Timeout.WORKERS_CHANGED, "", context.now + _RECHECK_S)


def recheck(context: EventContext) -> None:
    """Check every task that waits for workers."""
    context.state.verdicts.clear()
    for live in context.state.tasks.values():
        if not live.task.ended and not live.task.consensus:
            check(context, live)

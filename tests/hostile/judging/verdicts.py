"""Whether a deal ended as it should."""

from __future__ import annotations

from workerpool_poco.protocol.ids import TaskId, from_hex
from workerpool_poco.protocol.results import result_hash
from workerpool_protocol.core.v1.task_pb2 import Task

from hostile.catalogue.entry import Outcome
from hostile.deals import BoughtDeal, cause, name


def wrong(deal: BoughtDeal, allowance_s: float) -> list[str]:
    """Return what is wrong with a deal; empty when its outcome is right and in time."""
    found = []
    for task_id in deal.task_ids:
        task = deal.tasks.get(task_id)
        if task is None:
            found.append("the scheduler does not know the task")
        elif task_id not in deal.ended:
            found.append(f"it has not ended: {name(task)}")
        else:
            found += _wrong_end(task, deal.entry.right)
    # Workers gain weight by their contributions, so a trust that was out of reach may come within it.
    completed = all(name(task) == "COMPLETED" for task in deal.tasks.values())
    if deal.entry.right.waits and not deal.reasons and not completed:
        found.append("the scheduler never said why the task waits")
    limit = deal.limit_s + allowance_s
    if deal.seconds > limit:
        found.append(f"it took {deal.seconds:.1f} s, more than {limit:.1f} s")
    return sorted(set(found))


def _wrong_end(task: Task, right: Outcome) -> list[str]:
    status, why = name(task), cause(task)
    if status not in right.statuses:
        return [f"it ended {status} {why}".rstrip()]
    if status != "COMPLETED" and not right.causes:
        return []
    if not why:
        if not right.success:
            return [f"it ended without a cause instead of {', '.join(sorted(right.causes))}"]
        return _wrong_digest(task, right)
    if why not in right.causes:
        expected = ", ".join(sorted(right.causes)) or "the result of its app"
        return [f"it ended with {why} ({task.error_message[:120]}) instead of {expected}"]
    return [] if task.error_message else [f"it ended {status} {why} without a sentence"]


def _wrong_digest(task: Task, right: Outcome) -> list[str]:
    if right.consensus is None:
        return []
    expected = result_hash(TaskId(task.task_id), right.consensus())
    if from_hex(task.consensus) != expected:
        return ["the consensus is not the digest of the right result"]
    return []

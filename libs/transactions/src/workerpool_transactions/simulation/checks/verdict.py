"""What must be so in the end: every effect is on chain once, or the call's failure was reported."""

from collections.abc import Mapping

from workerpool_transactions.domain.entry import Entry, EntryState
from workerpool_transactions.simulation.chain.blocks import Block
from workerpool_transactions.simulation.environment import Environment
from workerpool_transactions.simulation.process.caller import Caller, Job, Kind

_REPORTED = {Kind.REVERTS: EntryState.REVERTED, Kind.INVALID: EntryState.REFUSED}


def problem(environment: Environment, head: Block, journal: Mapping[int, Entry], caller: Caller) -> str:
    """Return what is not yet, or never will be, as it must be; empty when everything is."""
    if environment.faults.is_exact and head.repeated:
        return f"{head.repeated} calls were executed twice"
    live = [nonce for nonce, each in journal.items() if each.is_live]
    if live:
        return f"nonces {live} are in flight"
    return next((text for job in caller.jobs if (text := _problem_of(job, head))), "")


def _problem_of(job: Job, head: Block) -> str:
    if job.outcome is None:
        return f"job {job.labels} has not ended"
    wanted = _REPORTED.get(job.kind, EntryState.MINED)
    if job.outcome is not wanted:
        return f"job {job.labels} ended as {job.outcome}, not as {wanted}"
    if job.kind is not Kind.GOOD:
        return ""
    if not head.effects.get(job.data):
        return f"job {job.labels} counts as done, and has no effect"
    end = job.settled
    if end is None or end.receipt is None or end.state is not EntryState.MINED:
        return ""
    standing = head.receipts.get(end.receipt.hash)
    if standing is not None and standing.block_hash != end.receipt.block_hash:
        return f"job {job.labels} knows another block than the one that holds its transaction"
    return ""

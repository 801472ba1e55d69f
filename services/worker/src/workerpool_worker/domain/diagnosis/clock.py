"""Whether this host's clock is right, judged by the scheduler's clock and the newest block of the chain.

A block carries the time of its making, so no right clock is behind it. A right clock may be far ahead of it: some
chains make blocks only when there are transactions. So the scheduler's clock decides, and the block shows which of the
two is wrong when they differ.
"""

from workerpool_kit.text.spans import span

from workerpool_worker.domain.diagnosis.findings import Code, Finding, Severity, ok, problem, skipped, warning

SUBJECT = "clock"
TOLERANCE_S = 30.0
"""Signed challenges and tokens live for a minute or longer."""
REMEDY = "Set this host's clock: switch on NTP (timedatectl set-ntp true), then run check again."


def clock_finding(now: float, core_now: float | None, block_time: float | None) -> Finding:
    """Judge the clock of this host at `now`; all times are Unix seconds, None when they could not be read."""
    if core_now is None and block_time is None:
        return skipped(SUBJECT, "the scheduler or a node of the chain")
    if block_time is not None and now < block_time - TOLERANCE_S:
        return _wrong(f"it is {span(block_time - now)} behind the newest block of the chain")
    if core_now is None:
        age = now - (block_time or now)
        if age <= TOLERANCE_S:
            return ok(SUBJECT, "it agrees with the newest block of the chain")
        return skipped(SUBJECT, f"the scheduler's clock; the newest block is {span(age)} old")
    offset = now - core_now
    if abs(offset) <= TOLERANCE_S:
        return ok(SUBJECT, f"it differs from the scheduler's by {abs(offset):.1f} s")
    if block_time is not None and core_now < block_time - TOLERANCE_S:
        return warning(
            SUBJECT,
            Code.CLOCK_WRONG,
            f"the scheduler's clock is {span(block_time - core_now)} behind the chain; this host's is not",
            "Tell the pool's operator to set the clock of the scheduler's host.",
        )
    return _wrong(f"it is {span(abs(offset))} {'ahead of' if offset > 0 else 'behind'} the scheduler's")


def clock_trouble(now: float, core_now: float | None, block_time: float | None) -> str:
    """Return what is wrong with the clock of this host if no other clock may be; empty otherwise.

    A clock that agrees with the scheduler's or with the newest block is right enough to work: then the scheduler's
    clock is wrong, or the chain is one whose time was moved, as those of tests are.
    """
    if core_now is None or abs(now - core_now) <= TOLERANCE_S:
        return ""
    if block_time is not None and abs(now - block_time) <= TOLERANCE_S:
        return ""
    found = clock_finding(now, core_now, block_time)
    return found.message if found.severity is Severity.PROBLEM else ""


def _wrong(message: str) -> Finding:
    return problem(SUBJECT, Code.CLOCK_WRONG, message, REMEDY)

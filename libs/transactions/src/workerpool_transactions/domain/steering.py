"""How the answers to sends steer the queue. A refusal is never the failure of the work that an entry carries."""

from dataclasses import dataclass

from workerpool_transactions.domain.answers import SendAnswer, SendOutcome
from workerpool_transactions.domain.entry import Version
from workerpool_transactions.domain.item import Item, Wanted

FIRST_PAUSE_S = 0.25
"""Pause after the first busy answer or missing answer; it doubles with each."""
LONGEST_PAUSE_S = 5.0
"""Longest pause, and how often a parked wallet tries its lowest nonce."""
TRY_S = 1.0
"""How long one try holds back the others when its answer is late."""
GAP_RESEND_S = 1.0
"""After "nonce too high" the same bytes are sent again when the nonce below is accepted, or after this time."""
INVALID_AFTER_S = 8.0
TAKEN_INVALID_AFTER_S = 60.0
INVALID_ANSWERS = 5
"""A call counts as refused after so many answers over so many seconds, the longer time when a node once took it."""


@dataclass(eq=False, slots=True)
class Brake:
    """What holds back all sends of the wallet."""

    until: float = 0.0
    failures: int = 0
    trying: bool = False
    """Whether the others are held back by a try."""
    parked_reason: str = ""
    """Why the wallet is parked; empty while it is not."""

    def pause(self, now: float) -> None:
        """Hold all sends back for a while: the node is busy or does not answer."""
        if now < self.until and not self.trying:
            # One of several sends that were under way together.
            return
        self.trying = False
        self.failures += 1
        self.until = now + pause_s(self.failures)

    def hold(self, now: float) -> None:
        """Hold the others back while one send tries whether the node takes transactions again."""
        self.until, self.trying = now + TRY_S, True

    def answered(self) -> None:
        """Note that the node works, though it refused a transaction."""
        self.failures, self.trying = 0, False
        if not self.parked_reason:
            self.until = 0.0

    def park(self, reason: str, now: float) -> None:
        """Try only one send now and then, until one is accepted."""
        self.parked_reason, self.until = reason, now + LONGEST_PAUSE_S

    def release(self) -> None:
        """Send again: a node accepted a transaction."""
        self.until, self.failures, self.trying, self.parked_reason = 0.0, 0, False, ""


def pause_s(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row."""
    return min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16), LONGEST_PAUSE_S)


def _invalid_after_s(item: Item) -> float:
    return INVALID_AFTER_S if item.has_waited_since is None else TAKEN_INVALID_AFTER_S


def steer(item: Item, version: Version, answer: SendAnswer, brake: Brake, now: float) -> bool:
    """Take a refusal of one send. Return whether the chain should be read at once.

    Acceptance, and "replacement too low", which means that another version waits, are the queue's own.
    """
    item.failures = item.failures + 1 if item.refusal is answer.outcome else 1
    item.refusal = answer.outcome
    if answer.outcome is not SendOutcome.BUSY:
        brake.answered()
        if answer.outcome is not SendOutcome.INVALID:
            # A node that judges the nonce, the fee or the funds finds nothing wrong with the call.
            item.invalid.reset()
    match answer.outcome:
        case SendOutcome.NONCE_TOO_LOW:
            item.due_at = now + max(pause_s(item.failures), GAP_RESEND_S)
            return True
        case SendOutcome.NONCE_TOO_HIGH:
            item.due_at = now + max(pause_s(item.failures), GAP_RESEND_S)
        case SendOutcome.FEE_TOO_LOW:
            if version is item.entry.latest:
                item.wanted, item.due_at = item.wanted or Wanted.FEE, None
        case SendOutcome.NO_FUNDS:
            item.due_at = now
            brake.park(f"the wallet cannot pay for its next transaction: {answer.message}", now)
        case SendOutcome.INVALID:
            item.due_at = now + max(pause_s(item.failures), GAP_RESEND_S)
            item.invalid.seen(now)
            if item.invalid.holds(now, _invalid_after_s(item), INVALID_ANSWERS):
                item.wanted, item.due_at = Wanted.EMPTY, None
        case _:
            item.due_at = now
            brake.pause(now)
    return False

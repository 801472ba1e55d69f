"""Facts from outside the scheduler: problems of the pool's services, and refused logins."""

from collections.abc import Collection
from dataclasses import dataclass

from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode

ADAPTER = frozenset({ReasonCode.ADAPTER_DOWN, ReasonCode.ADAPTER_REFUSES, ReasonCode.ADAPTER_WALLET_PARKED})
"""Problems that keep the pool's transactions from the chain."""


@dataclass(frozen=True, slots=True)
class RefusedLogin:
    """The refused logins of a wallet for one `reason` (of an error); the newest at `last_at` (Unix seconds).

    `peer` is the address of the caller. The wallet is not authenticated: any caller may name any wallet.
    """

    wallet: str
    reason: str
    message: str
    peer: str
    count: int
    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True)
class Conditions:
    """The problems of the services now, the worst first, and the last refusals, the newest first."""

    problems: tuple[Explanation, ...] = ()
    refusals: tuple[RefusedLogin, ...] = ()

    def problem(self, codes: Collection[ReasonCode]) -> Explanation | None:
        """Return the worst problem with one of these codes."""
        return next((found for found in self.problems if found.code in codes), None)

    def refusal(self, wallet: str) -> RefusedLogin | None:
        """Return the newest refusal of a wallet."""
        return next((found for found in self.refusals if found.wallet == wallet), None)


NO_CONDITIONS = Conditions()
"""No problems and no refusals."""

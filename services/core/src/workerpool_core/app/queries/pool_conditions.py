"""The conditions of the pool as reasons: unavailable services, an empty wallet, unread blocks."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workerpool_kit.dependencies.report import CREDENTIALS, WRONG
from workerpool_kit.health import UP, Health

from workerpool_core.app.ports import OwnerWallet
from workerpool_core.app.workers.refusals import Refusals
from workerpool_core.domain.explanations.conditions import Conditions
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason

_SERVICES: Mapping[str, ReasonCode] = {
    "database": ReasonCode.DATABASE_DOWN,
    "adapter": ReasonCode.ADAPTER_DOWN,
    "proxy": ReasonCode.RESULT_PROXY_DOWN,
    "registry": ReasonCode.CONFIG_SERVER_DOWN,
}
"""The code of each component of health while it is not up, the worst first. The scheduler judges the chain."""
_MISCONFIGURED = frozenset({CREDENTIALS, WRONG})
BLOCKS_BEHIND = 50
"""Blocks between the newest one and the cursor above which core counts as catching up."""


class PoolConditions:
    """The conditions of the pool at the time of a query."""

    def __init__(
        self,
        health: Health,
        refusals: Refusals,
        *,
        wallet: Callable[[], OwnerWallet | None],
        blocks: Callable[[], tuple[int, int]],
    ) -> None:
        """Create it.

        Args:
            health: the components of this process.
            refusals: recently refused logins.
            wallet: returns the last read state of the chain adapter's wallet; None when unknown.
            blocks: returns the newest block to follow, and the last one whose effects are stored.
        """
        self._health = health
        self._refusals = refusals
        self._wallet = wallet
        self._blocks = blocks

    def now(self) -> Conditions:
        """Return the conditions now."""
        return Conditions(tuple(self._problems()), self._refusals.newest())

    def _problems(self) -> Iterator[Explanation]:
        components = self._health.snapshot()["components"]
        for component, code in _SERVICES.items():
            state = components.get(component)
            if state is not None and state["status"] != UP:
                yield _of_service(code, state.get("details", {}))
        if (wallet := self._wallet()) is not None and (problem := wallet.problem):
            yield reason(
                ReasonCode.ADAPTER_WALLET_PARKED,
                f"The wallet {wallet.address} of the chain adapter sends no transaction: {problem}.",
                evidence={"problem": problem, "wallet": wallet.address, "balance_wei": wallet.balance_wei},
            )
        latest, cursor = self._blocks()
        if latest - cursor > BLOCKS_BEHIND:
            message = f"Core has read the chain up to block {cursor}, {latest - cursor} blocks behind the newest one."
            yield reason(
                ReasonCode.CATCHING_UP, message, evidence={"latest_block": latest, "cursor_block": cursor}
            )


_NAMES: Mapping[ReasonCode, str] = {
    ReasonCode.DATABASE_DOWN: "The database cannot be used",
    ReasonCode.ADAPTER_DOWN: "The chain adapter, which sends the pool's transactions, cannot be used",
    ReasonCode.ADAPTER_REFUSES: "The chain adapter, which sends the pool's transactions, cannot be used",
    ReasonCode.RESULT_PROXY_DOWN: "The result proxy cannot be used",
    ReasonCode.CONFIG_SERVER_DOWN: "The config server cannot be used",
}


def _of_service(code: ReasonCode, details: Mapping[str, Any]) -> Explanation:
    if code is ReasonCode.ADAPTER_DOWN and details.get("kind") in _MISCONFIGURED:
        code = ReasonCode.ADAPTER_REFUSES
    problem, next_step = (str(details.get(key) or "") for key in ("problem", "next_step"))
    return reason(
        code,
        f"{_NAMES[code]}: {problem}" if problem else "",
        next_step=next_step,
        evidence={"problem": problem, "variable": details.get("variable")},
    )

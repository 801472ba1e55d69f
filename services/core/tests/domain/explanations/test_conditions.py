"""Conditions: the worst problem among some codes, the newest refusal of a wallet."""

from workerpool_core.domain.explanations.conditions import ADAPTER, Conditions, RefusedLogin
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import reason


def refusal(wallet: str, why: str) -> RefusedLogin:
    return RefusedLogin(wallet, why, "no", "peer", 1, 1.0, 1.0)


def test_the_worst_problem_with_a_code_is_found() -> None:
    proxy, wallet = reason(ReasonCode.RESULT_PROXY_DOWN), reason(ReasonCode.ADAPTER_WALLET_PARKED)
    conditions = Conditions((proxy, wallet, reason(ReasonCode.ADAPTER_DOWN)))
    assert conditions.problem(ADAPTER) == wallet
    assert conditions.problem({ReasonCode.DATABASE_DOWN}) is None


def test_the_newest_refusal_of_a_wallet_is_found() -> None:
    newest = refusal("0xA", "BAD_VERSION")
    conditions = Conditions(
        refusals=(refusal("0xB", "BAD_SIGNATURE"), newest, refusal("0xA", "BAD_CHALLENGE"))
    )
    assert conditions.refusal("0xA") == newest
    assert conditions.refusal("0xC") is None

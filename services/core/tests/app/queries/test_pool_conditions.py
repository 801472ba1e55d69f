"""The conditions of the pool: which component of health is which reason, the wallet, and the lag behind the chain."""

import pytest
from workerpool_core.app.ports import OwnerWallet
from workerpool_core.app.queries.pool_conditions import BLOCKS_BEHIND, PoolConditions
from workerpool_core.app.workers.refusals import Refusals
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.reasons import REASONS
from workerpool_kit.clock import FakeClock
from workerpool_kit.dependencies.report import (
    CREDENTIALS,
    WRONG,
    Dependency,
    DependencyProblem,
    DependencyReport,
)
from workerpool_kit.health import Health

WALLET = "0x" + "11" * 20


class Pool:
    """The conditions of a pool whose services a test stops."""

    def __init__(self) -> None:
        self.health = Health()
        self.refusals = Refusals(FakeClock(0.0))
        self.wallet: OwnerWallet | None = None
        self.blocks = (0, 0)
        self.conditions = PoolConditions(
            self.health, self.refusals, wallet=lambda: self.wallet, blocks=lambda: self.blocks
        )

    def fails(self, component: str, problem: DependencyProblem) -> None:
        dependency = Dependency(component, f"{component.upper()}_URL", "http://10.0.0.9:1", "start it")
        DependencyReport(self.health, dependency, lambda: 0.0).fails(problem)

    @property
    def codes(self) -> list[ReasonCode | None]:
        found = self.conditions.now().problems
        for each in found:
            assert each.code is not None
            assert {key for key, _ in each.evidence} <= set(REASONS[each.code].evidence)
            assert "10.0.0.9" not in str(each), "every caller may read reasons, so they name no address"
        return [each.code for each in found]


def test_a_pool_whose_services_work_has_no_problems() -> None:
    pool = Pool()
    pool.health.set("adapter", True)
    pool.health.set("scheduler", False, reason="starting")
    assert pool.codes == []


@pytest.mark.parametrize(
    ("component", "kind", "code"),
    [
        ("adapter", "unreachable", ReasonCode.ADAPTER_DOWN),
        ("adapter", CREDENTIALS, ReasonCode.ADAPTER_REFUSES),
        ("adapter", WRONG, ReasonCode.ADAPTER_REFUSES),
        ("proxy", "unreachable", ReasonCode.RESULT_PROXY_DOWN),
        ("registry", WRONG, ReasonCode.CONFIG_SERVER_DOWN),
        ("database", "unreachable", ReasonCode.DATABASE_DOWN),
    ],
)
def test_a_service_that_fails_is_a_reason_with_its_problem(
    component: str, kind: str, code: ReasonCode
) -> None:
    pool = Pool()
    pool.fails(component, DependencyProblem("it does not answer", kind=kind, next_step="correct it"))
    assert pool.codes == [code]
    (found,) = pool.conditions.now().problems
    assert found.message.endswith("cannot be used: it does not answer")
    assert found.next_step == "correct it"
    assert dict(found.evidence) == {"problem": "it does not answer", "variable": f"{component.upper()}_URL"}


def test_the_worst_problem_comes_first() -> None:
    pool = Pool()
    for component in ("registry", "proxy", "adapter", "database"):
        pool.fails(component, DependencyProblem("away"))
    assert pool.codes == [
        ReasonCode.DATABASE_DOWN,
        ReasonCode.ADAPTER_DOWN,
        ReasonCode.RESULT_PROXY_DOWN,
        ReasonCode.CONFIG_SERVER_DOWN,
    ]


def test_a_wallet_that_sends_nothing_is_a_reason_with_its_address() -> None:
    pool = Pool()
    pool.wallet = OwnerWallet(WALLET, "5")
    assert pool.codes == []
    pool.wallet = OwnerWallet(WALLET, "5", "its balance pays for no transaction")
    assert pool.codes == [ReasonCode.ADAPTER_WALLET_PARKED]
    assert dict(pool.conditions.now().problems[0].evidence).items() >= {"wallet": WALLET}.items()


def test_blocks_that_are_not_read_yet_are_a_reason_above_a_lag() -> None:
    pool = Pool()
    pool.blocks = (BLOCKS_BEHIND + 10, 10)
    assert pool.codes == []
    pool.blocks = (BLOCKS_BEHIND + 11, 10)
    assert pool.codes == [ReasonCode.CATCHING_UP]


def test_refused_logins_are_conditions() -> None:
    pool = Pool()
    pool.refusals.record(WALLET, "BAD_SIGNATURE", "no", "peer")
    assert [each.wallet for each in pool.conditions.now().refusals] == [WALLET]

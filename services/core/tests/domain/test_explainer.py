"""The specification of reasons: each situation of a pool with the code that a task or a worker has in it."""

from collections.abc import Callable
from typing import Any

import pytest
from workerpool_core.domain import events as e
from workerpool_core.domain.explanations.conditions import Conditions, RefusedLogin
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode as Code
from workerpool_core.domain.explanations.reasons import REASONS, reason
from workerpool_core.domain.policy import Policy
from workerpool_poco.protocol.causes import ReplicateStatusCause as C
from workerpool_poco.protocol.causes import Side
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus as R

from services.core.tests.doubles.kept_workers import distrust, drain, drain_without_end, park, unlist
from services.core.tests.doubles.scripted_pool import GPU, SCONE, TDX, ScriptedPool

ONE, TWO = "0xWorker1", "0xWorker2"
FOREVER = float("inf")


def checked(found: Explanation | None) -> Explanation:
    """Return a reason that has all its parts, and no evidence beyond that of the table."""
    assert found is not None
    assert found.code is not None
    assert found.next_step
    assert {key for key, _ in found.evidence} <= set(REASONS[found.code].evidence)
    return found


def of_task(pool: ScriptedPool, task: TaskId, conditions: Conditions | None = None) -> Explanation:
    explainer = pool.scheduler.explain(pool.now, conditions or Conditions())
    return checked(explainer.task(pool.task(task)))


def of_worker(pool: ScriptedPool, wallet: str, conditions: Conditions | None = None) -> Explanation:
    return checked(pool.scheduler.explain(pool.now, conditions or Conditions()).worker(wallet))


def numbers(found: Explanation) -> dict[str, str]:
    return dict(found.evidence)


# --- tasks that wait for a worker ---------------------------------------------------------------


def nothing(_pool: ScriptedPool) -> None: ...


def two(change: Callable[[ScriptedPool, int], object] = lambda _pool, _number: None, **model: Any) -> Any:
    """Return a step that connects two workers and changes each of them."""

    def step(pool: ScriptedPool) -> None:
        for number in (1, 2):
            pool.connect(number, **model)
            change(pool, number)

    return step


WAITING: dict[str, tuple[Any, dict[str, Any], Code, dict[str, str]]] = {
    "no worker connected": (nothing, {}, Code.NO_WORKER_CONNECTED, {"connected": "0"}),
    "all drained": (two(drain), {}, Code.ALL_WORKERS_DRAINED, {"connected": "2", "drained": "2"}),
    "all drained without end": (two(drain_without_end), {}, Code.ALL_WORKERS_DRAINED, {"drained": "2"}),
    "all quarantined by the operator": (
        two(distrust),
        {},
        Code.ALL_WORKERS_QUARANTINED,
        {"quarantined": "2"},
    ),
    "all parked": (two(park), {}, Code.ALL_WORKERS_PARKED, {"parked": "2", "wallet": ONE}),
    "none on the whitelist": (two(unlist), {}, Code.ALL_WORKERS_UNLISTED, {"unlisted": "2"}),
    "trust too high": (two(), {"trust": 64}, Code.TRUST_TOO_HIGH, {"trust": "64", "workers_fitting": "2"}),
    "no GPU": (two(), {"tag": GPU}, Code.NO_WORKER_WITH_GPU, {"tag": GPU}),
    "no enclave": (two(), {"tag": TDX}, Code.NO_WORKER_WITH_ENCLAVE, {"framework": "TDX"}),
    "no gas": (two(weight=0), {}, Code.ALL_WORKERS_WITHOUT_GAS, {"without_gas": "2"}),
    "no stake": (two(), {"worker_stake": 7}, Code.ALL_WORKERS_WITHOUT_STAKE, {"worker_stake": "7"}),
}


@pytest.mark.parametrize(("arrange", "terms", "code", "evidence"), WAITING.values(), ids=WAITING)
def test_a_task_without_a_worker_tells_what_keeps_all_of_them(
    pool: ScriptedPool, arrange: Any, terms: dict[str, Any], code: Code, evidence: dict[str, str]
) -> None:
    arrange(pool)
    found = of_task(pool, pool.ready(**terms))
    assert found.code is code
    assert found.side is REASONS[code].side
    assert numbers(found).items() >= evidence.items()


@pytest.mark.parametrize("pause", [drain, distrust])
def test_the_first_end_of_a_pause_is_reported(pool: ScriptedPool, pause: Any) -> None:
    two(pause)(pool)
    assert of_task(pool, pool.ready()).until == pytest.approx(pool.now + 60)


def test_quarantine_after_failures_names_a_worker_its_failures_and_the_end(pool: ScriptedPool) -> None:
    pool.connect(1, slots=pool.policy.quarantine_after)
    for task in [pool.ready() for _ in range(pool.policy.quarantine_after)]:
        pool.report(1, task, R.STARTING, R.START_FAILED)
    found = of_task(pool, pool.ready())
    assert (found.code, found.until) == (
        Code.ALL_WORKERS_QUARANTINED,
        pool.ledger.workers[ONE].quarantined_until,
    )
    assert numbers(found).items() >= {"wallet": ONE, "failures": "3"}.items()


def test_mixed_obstacles_are_counted_and_the_last_one_is_reported(pool: ScriptedPool) -> None:
    for number in (1, 2, 3, 4):
        pool.connect(number)
    drain(pool, 1)
    distrust(pool, 2)
    park(pool, 3)
    pool.cut(4)
    found = of_task(pool, pool.ready())
    assert found.code is Code.ALL_WORKERS_PARKED
    assert numbers(found) == {
        "connected": "3",
        "disconnected": "1",
        "drained": "1",
        "quarantined": "1",
        "parked": "1",
        "wallet": "0xWorker3",
    }


def test_slots_in_use_tell_how_many_tasks_wait(pool: ScriptedPool) -> None:
    pool.connect(1, slots=1)
    pool.ready()
    found = of_task(pool, pool.ready())
    assert found.code is Code.NO_FREE_SLOT
    assert numbers(found) == {"connected": "1", "busy": "1", "waiting_tasks": "1"}


def test_newcomers_at_their_limit(make_pool: Callable[..., ScriptedPool]) -> None:
    pool = make_pool(Policy(newcomer_assignments=1))
    pool.connect(1)
    pool.handle(e.WeightsRead((), ((ONE, 1_000),)))
    pool.ready(worker_stake=7)
    found = of_task(pool, pool.ready(worker_stake=7))
    assert (found.code, numbers(found)["limit"]) == (Code.ALL_WORKERS_NEW, "1")


def test_a_stake_that_other_tasks_will_lock_is_missing(make_pool: Callable[..., ScriptedPool]) -> None:
    pool = make_pool(Policy(newcomer_assignments=0))
    pool.connect(1)
    pool.handle(e.WeightsRead((), ((ONE, 10),)))
    pool.ready(worker_stake=7)
    assert of_task(pool, pool.ready(worker_stake=7)).code is Code.ALL_WORKERS_WITHOUT_STAKE


def test_workers_that_do_not_answer(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.ready()
    pool.wait(pool.policy.assignment_timeout_s)
    assert of_task(pool, pool.ready()).code is Code.ALL_WORKERS_SILENT


def test_workers_that_all_tried(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.report(1, task, R.STARTING, R.START_FAILED)
    found = of_task(pool, task)
    assert (found.code, numbers(found)["tried"]) == (Code.ALL_WORKERS_TRIED, "1")


def test_hosts_without_the_memory_of_a_slot(make_pool: Callable[..., ScriptedPool]) -> None:
    pool = make_pool(Policy(slot_memory_bytes=1 << 40))
    pool.connect(1)
    found = of_task(pool, pool.ready())
    assert (found.code, numbers(found)["needed_bytes"]) == (Code.NO_WORKER_WITH_MEMORY, str(1 << 40))


def test_a_pause_after_a_failure_of_a_service(pool: ScriptedPool) -> None:
    two()(pool)
    task = pool.ready()
    number = int(pool.assigned(task)[0][-1])
    pool.report(number, task, R.STARTING, R.START_FAILED, cause=C.CHAIN_UNREACHABLE)
    found = of_task(pool, task)
    assert (found.code, found.cause) == (Code.PAUSED_AFTER_FAILURE, C.CHAIN_UNREACHABLE)
    assert found.until == pool.now + pool.policy.failure_pause_s


# --- refused workers ----------------------------------------------------------------------------


def refusal(
    pool: ScriptedPool, wallet: str = TWO, age: float = 5.0, why: str = "BAD_SIGNATURE"
) -> RefusedLogin:
    at = pool.now - age
    return RefusedLogin(wallet, why, "the signature is of another wallet", "ipv4:10.0.0.7:1", 3, at - 9, at)


def test_without_a_worker_the_refused_logins_are_reported(pool: ScriptedPool) -> None:
    found = of_task(pool, pool.ready(), Conditions(refusals=(refusal(pool),)))
    assert (found.code, found.side) == (Code.WORKERS_REFUSED, Side.WORKER)
    assert f"the last one {TWO} for BAD_SIGNATURE" in found.message
    assert "the signature is of another wallet" not in str(found), "it may quote the caller"
    told = numbers(found)
    assert (told["refused_wallets"], told["last_refused_wallet"]) == ("1", TWO)
    assert told["last_refusal"] == "BAD_SIGNATURE"
    assert "10.0.0.7" not in str(found), "addresses of callers are for the operator alone"


def test_old_refusals_and_those_beside_a_connected_worker_explain_nothing(pool: ScriptedPool) -> None:
    task = pool.ready()
    old = Conditions(refusals=(refusal(pool, age=3_601.0),))
    assert of_task(pool, task, old).code is Code.NO_WORKER_CONNECTED
    pool.connect(1)
    drain(pool, 1)
    assert of_task(pool, pool.ready(), Conditions(refusals=(refusal(pool),))).code is Code.ALL_WORKERS_DRAINED


def test_a_refused_worker_learns_why_even_if_it_never_registered(pool: ScriptedPool) -> None:
    conditions = Conditions(refusals=(refusal(pool, ONE), refusal(pool, TWO)))
    assert of_worker(pool, TWO, conditions).code is Code.WORKER_REFUSED
    pool.connect(1)
    assert of_worker(pool, ONE, conditions).code is Code.NO_TASK_WAITS
    pool.cut(1)
    found = of_worker(pool, ONE, Conditions(refusals=(refusal(pool, ONE, age=0.0),)))
    assert found.code is Code.WORKER_REFUSED
    assert numbers(found).items() >= {"refusal": "BAD_SIGNATURE", "times": "3"}.items()
    assert of_worker(pool, ONE, conditions).code is Code.WORKER_DISCONNECTED, "it connected since"


def test_an_unknown_wallet_has_no_reason(pool: ScriptedPool) -> None:
    assert pool.scheduler.explain(pool.now).worker("0xWorker9") is None


# --- services -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (e.ChainProblem.SILENT, Code.NODE_DOWN),
        (e.ChainProblem.BEHIND, Code.NODE_BEHIND),
        (e.ChainProblem.ANOTHER_CHAIN, Code.NODE_OF_ANOTHER_CHAIN),
    ],
)
def test_an_unfit_node_stops_tasks_and_workers(
    pool: ScriptedPool, problem: e.ChainProblem, code: Code
) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.handle(e.ChainHealthChanged(False, problem, "block 5 is missing"))
    for found in (of_task(pool, task), of_worker(pool, ONE)):
        assert (found.code, found.side) == (code, Side.CHAIN)
        assert numbers(found)["problem"] == "block 5 is missing"
    pool.handle(e.ChainHealthChanged(True))
    assert of_task(pool, task).code is Code.COMPUTING


@pytest.mark.parametrize("code", [Code.ADAPTER_DOWN, Code.ADAPTER_REFUSES, Code.ADAPTER_WALLET_PARKED])
def test_a_task_that_needs_a_transaction_waits_for_the_adapter(pool: ScriptedPool, code: Code) -> None:
    conditions = Conditions((reason(Code.RESULT_PROXY_DOWN), reason(code)))
    pool.connect(1)
    (task,) = pool.deal()
    assert of_task(pool, task, conditions).code is code
    (tee,) = pool.deal(tag=SCONE)
    assert of_task(pool, tee, conditions).code is Code.NO_WORKER_WITH_ENCLAVE
    assert of_task(pool, pool.ready(), conditions).code is Code.COMPUTING, "it needs none now"


def test_an_adapter_that_does_not_answer_is_reported_also_without_its_health(pool: ScriptedPool) -> None:
    pool.connect(1)
    (task,) = pool.deal()
    pool.handle(e.TransactionAnswered(task, e.TransactionKind.INITIALIZE, None, reason="UNAVAILABLE"))
    found = of_task(pool, task)
    assert (found.code, numbers(found)["problem"]) == (Code.ADAPTER_DOWN, "UNAVAILABLE")


def test_a_tee_task_whose_sms_does_not_answer(pool: ScriptedPool) -> None:
    pool.connect(1, sgx=True)
    (task,) = pool.deal(tag=SCONE)
    assert of_task(pool, task).code is Code.WAITING_FOR_SMS
    pool.handle(e.SmsUnreachable(task, "the SMS at https://sms does not answer"))
    found = of_task(pool, task)
    assert (found.code, numbers(found)["tag"]) == (Code.SMS_DOWN, SCONE)


def test_an_upload_waits_for_the_result_proxy(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.compute(1, task)
    pool.contribute(1, task, consensus=True)
    assert of_task(pool, task).code is Code.WAITING_FOR_REVEAL
    pool.reveal(1, task)
    assert of_task(pool, task).code is Code.WAITING_FOR_UPLOAD
    down = reason(Code.RESULT_PROXY_DOWN)
    assert of_task(pool, task, Conditions((down,))).code is Code.RESULT_PROXY_DOWN
    pool.report(1, task, R.RESULT_UPLOADING, R.RESULT_UPLOAD_FAILED, error_message="the proxy answers 503")
    pool.handle(e.ResultChecked(task, False))
    found = of_task(pool, task)
    assert found.code is Code.UPLOAD_FAILING
    assert "the proxy answers 503" in found.message


# --- tasks that ended ---------------------------------------------------------------------------


def test_a_task_with_a_good_result_has_no_reason(pool: ScriptedPool) -> None:
    pool.connect(1)
    task = pool.ready()
    pool.compute(1, task)
    pool.contribute(1, task, consensus=True)
    pool.reveal(1, task)
    pool.upload(1, task)
    assert of_task(pool, task).code is Code.WAITING_FOR_FINALIZE
    pool.mine(pool.log("FINALIZE", task))
    assert pool.scheduler.explain(pool.now).task(pool.task(task)) is None


def test_a_tee_task_that_no_sms_serves(pool: ScriptedPool) -> None:
    pool.connect(1, sgx=True)
    (task,) = pool.deal(tag=SCONE)
    pool.handle(e.SmsRefused(task, C.UNKNOWN_SMS, "no SMS serves SCONE"))
    found = of_task(pool, task)
    assert (found.code, found.cause) == (Code.NO_SMS, C.UNKNOWN_SMS)


# --- the pool -----------------------------------------------------------------------------------


def problems(pool: ScriptedPool, conditions: Conditions | None = None) -> list[Code | None]:
    found = pool.scheduler.explain(pool.now, conditions or Conditions()).pool()
    return [checked(each).code for each in found]


def test_a_pool_tells_what_keeps_plain_tasks_from_it(pool: ScriptedPool) -> None:
    assert problems(pool) == [Code.NO_WORKER_CONNECTED]
    pool.connect(1, slots=1)
    assert problems(pool) == []
    pool.ready()
    assert problems(pool) == [], "busy slots hinder nothing"
    drain(pool, 1)
    assert problems(pool) == [Code.ALL_WORKERS_DRAINED]


def test_a_pool_tells_the_chain_first_then_its_services(pool: ScriptedPool) -> None:
    pool.connect(1)
    pool.handle(e.ChainHealthChanged(False))
    down = reason(Code.ADAPTER_DOWN)
    assert problems(pool, Conditions((down,))) == [Code.NODE_DOWN, Code.ADAPTER_DOWN]

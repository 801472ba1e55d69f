"""Looks at scheduler and result proxy: one that is missing, foreign or malformed is a finding with its remedy."""

import time
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_protocol.core.v1 import pool_service_pb2
from workerpool_worker.domain.diagnosis.findings import Code, Severity

from services.worker.tests.harness.builders import WORKER
from services.worker.tests.harness.pool_services import HUB, POOL, VERSION, Services, only

# --- scheduler -------------------------------------------------------------------------------------


async def test_a_working_scheduler_is_reported_with_its_version(services: Services) -> None:
    services.core.configuration.scheduler_version = "9.2.0"
    scheduler, version = await services.checks().scheduler(VERSION)
    assert scheduler.message == f"{services.core.url} answers"
    assert version.message == f"this is {VERSION}, the scheduler 9.2.0; the pool requires no certain version"


async def test_a_closed_port_is_an_unreachable_scheduler(services: Services, closed_url: str) -> None:
    finding = only(await services.checks(IEXEC_CORE_URL=closed_url).scheduler(VERSION))
    assert finding.code is Code.CORE_UNREACHABLE
    assert finding.message.startswith(f"the scheduler at {closed_url} does not answer (UNAVAILABLE: ")
    assert "IEXEC_CORE_URL" in finding.next_step


async def test_a_failing_scheduler_is_reported_with_its_message(services: Services) -> None:
    services.core.fails["GetConfig"] = (grpc.StatusCode.UNAVAILABLE, "the database is away")
    finding = only(await services.checks().scheduler(VERSION))
    assert (finding.code, "the database is away" in finding.message) == (Code.CORE_UNREACHABLE, True)


async def test_a_url_without_a_port_names_its_variable(services: Services) -> None:
    finding = only(await services.checks(IEXEC_CORE_URL="http://localhost").scheduler(VERSION))
    assert (finding.code, finding.next_step) == (Code.BAD_SETTING, "Correct IEXEC_CORE_URL.")


@pytest.mark.parametrize("workerpool", ["", "0x12", "no address"])
async def test_an_answer_without_a_workerpool_is_no_scheduler(services: Services, workerpool: str) -> None:
    services.core.configuration.workerpool = workerpool
    finding = only(await services.checks().scheduler(VERSION))
    assert finding.code is Code.CORE_UNREACHABLE
    assert "the scheduler names no workerpool" in finding.message


async def test_another_pool_and_another_version_are_reported_together(services: Services) -> None:
    services.core.configuration.workerpool = HUB
    services.core.configuration.required_worker_version = "9.9.9"
    scheduler, pool, version = await services.checks().scheduler(VERSION)
    assert scheduler.severity is Severity.OK
    assert pool.code is Code.WRONG_POOL
    assert HUB in pool.message
    assert POOL in pool.message
    assert "POOL_ADDRESS" in pool.next_step
    assert version.code is Code.WRONG_VERSION


@pytest.mark.parametrize("spelled", [POOL, POOL.lower()])
async def test_the_spelling_of_the_pools_address_does_not_matter(services: Services, spelled: str) -> None:
    services.core.configuration.workerpool = spelled
    found = await services.checks(POOL_ADDRESS=POOL.lower()).scheduler(VERSION)
    assert [each.severity for each in found] == [Severity.OK, Severity.OK]


# --- clock -----------------------------------------------------------------------------------------


async def test_a_clock_without_anything_to_compare_is_not_judged(services: Services) -> None:
    assert only([services.checks().clock()], Severity.SKIPPED).subject == "clock"


async def test_a_scheduler_without_a_clock_is_no_fault(services: Services) -> None:
    services.core.clock = lambda: None
    checks = await services.ready()
    assert checks.clock_offset_s is None
    assert checks.clock().severity is Severity.SKIPPED


@pytest.mark.parametrize(("ahead_s", "word"), [(3_600, "behind"), (-3_600, "ahead of")])
async def test_a_clock_that_differs_from_the_schedulers_is_wrong(
    services: Services, ahead_s: int, word: str
) -> None:
    services.core.clock = lambda: Timestamp(seconds=int(time.time()) + ahead_s)
    finding = only([(await services.ready()).clock()])
    assert finding.code is Code.CLOCK_WRONG
    assert word in finding.message


@pytest.mark.parametrize("seconds", [1 << 62, -(1 << 62)])
async def test_a_clock_beyond_the_calendar_does_not_fail_the_check(services: Services, seconds: int) -> None:
    services.core.clock = lambda: Timestamp(seconds=seconds)
    checks = services.checks()
    assert (await checks.scheduler(VERSION))[0].severity is Severity.OK
    assert (checks.clock_offset_s, checks.clock().severity) == (None, Severity.SKIPPED)


# --- admission -------------------------------------------------------------------------------------


async def test_without_a_wallet_or_a_scheduler_no_request_is_sent(services: Services) -> None:
    checks = services.checks()
    assert "it needs the scheduler" in only(await checks.admission(WORKER), Severity.SKIPPED).message
    assert "it needs a wallet" in only(await checks.admission(None), Severity.SKIPPED).message
    assert await checks.standing(WORKER) is None


async def test_a_wallet_without_a_worker_is_admitted(services: Services) -> None:
    finding = only(await (await services.ready()).admission(WORKER), Severity.OK)
    assert "no worker has connected with it yet" in finding.message


async def test_a_wallet_that_is_not_on_the_list_is_named(services: Services) -> None:
    services.core.excluded.add(WORKER)
    finding = only(await (await services.ready()).admission(WORKER))
    assert (finding.code, WORKER in finding.message) == (Code.NOT_WHITELISTED, True)
    assert "IEXEC_WORKERS_WHITELIST" in finding.next_step


@pytest.mark.parametrize(
    ("code", "told", "remedy"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, "the scheduler refuses the wallet", "the pool's operator"),
        (grpc.StatusCode.INVALID_ARGUMENT, "the scheduler refuses the wallet", "the pool's operator"),
        (grpc.StatusCode.UNAVAILABLE, "the scheduler does not answer whether", "Run check again"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "the scheduler does not answer whether", "Run check again"),
    ],
)
async def test_an_outage_is_distinguished_from_a_refusal(
    services: Services, code: grpc.StatusCode, told: str, remedy: str
) -> None:
    services.core.fails["CreateChallenge"] = (code, "the text of the scheduler")
    finding = only(await (await services.ready()).admission(WORKER))
    assert finding.code is Code.CORE_UNREACHABLE
    assert finding.message.startswith(told)
    assert finding.message.endswith(f"{code.name}: the text of the scheduler")
    assert remedy in finding.next_step


@pytest.mark.parametrize(
    "state",
    [
        {"drained_until": Timestamp(seconds=1)},
        {"quarantined_until": Timestamp(seconds=1)},
        {"parked_reason": "the disk is full"},
    ],
    ids=lambda state: next(iter(state)),
)
async def test_the_reason_for_no_work_is_reported(services: Services, state: dict[str, Any]) -> None:
    services.core.pool.workers[WORKER] = pool_service_pb2.GetWorkerResponse(
        worker=pool_service_pb2.Worker(wallet_address=WORKER, **state), idle_reason="This is the reason."
    )
    finding = only(await (await services.ready()).admission(WORKER))
    assert (finding.code, finding.next_step) == (Code.NO_WORK, "This is the reason.")


async def test_a_worker_that_merely_idles_is_no_problem(services: Services) -> None:
    services.core.pool.workers[WORKER] = pool_service_pb2.GetWorkerResponse(idle_reason="no task waits")
    finding = only(await (await services.ready()).admission(WORKER), Severity.OK)
    assert finding.message == "the pool admits the wallet"


# --- result proxy ----------------------------------------------------------------------------------


async def test_without_a_scheduler_no_proxy_is_known(services: Services) -> None:
    assert "it needs the scheduler" in only(await services.checks().proxy(), Severity.SKIPPED).message


async def test_a_scheduler_without_a_proxy_is_not_reported_as_unreachable(services: Services) -> None:
    services.core.configuration.result_proxy_url = ""
    finding = only(await (await services.ready()).proxy(), Severity.SKIPPED)
    assert finding.message == "not checked: it needs a scheduler that names one"


async def test_a_proxy_under_its_own_name_is_accepted(services: Services) -> None:
    checks = await services.ready()
    assert checks.pool is not None
    assert only(await checks.proxy(), Severity.OK).message == f"{checks.pool.result_proxy_url} answers"


async def test_a_proxy_under_another_name_is_reported_with_the_variable(services: Services) -> None:
    services.results.audience = "https://other.example"
    finding = only(await (await services.ready()).proxy())
    assert finding.code is Code.PROXY_UNREACHABLE
    assert "calls itself 'https://other.example'" in finding.message
    assert "IEXEC_RESULT_REPOSITORY_URL" in finding.next_step


@pytest.mark.parametrize("malformed", [True, False])
async def test_an_unreachable_proxy_is_reported_with_its_url(
    services: Services, closed_url: str, malformed: bool
) -> None:
    url = "http://localhost" if malformed else closed_url
    services.core.configuration.result_proxy_url = url
    finding = only(await (await services.ready()).proxy())
    assert finding.code is Code.PROXY_UNREACHABLE
    assert finding.message.startswith(f"{url}: ")
    assert "results wait here meanwhile" in finding.next_step


async def test_another_service_at_the_proxys_url_is_reported(services: Services) -> None:
    services.core.configuration.result_proxy_url = services.core.url
    finding = only(await (await services.ready()).proxy())
    assert "another service than the result proxy answers" in finding.message

"""What the forms send is translated for the queries, and the durations of orders are those that gRPC admits."""

import pytest
from workerpool_core.api.operator_page import deals, tasks, wallet, workers
from workerpool_core.app.ports import TaskQuery
from workerpool_core.app.queries.deal_queries import DealView
from workerpool_core.app.queries.pool_wallet import WalletNow
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.errors import BadRequest
from workerpool_core.simulation.deals import deal_terms
from workerpool_kit.grpc.validation import validate
from workerpool_poco.protocol.ids import DealId
from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES, TaskStatus
from workerpool_protocol.core.v1 import pool_service_pb2 as pb

from services.core.tests.doubles.page_world import OWNER
from services.core.tests.doubles.page_world import wallet as wallet_of

NOTHING = {"status": "", "deal": "", "requester": "", "worker": ""}


def test_no_filter_matches_every_task() -> None:
    assert tasks._query(NOTHING) == TaskQuery()


def test_under_way_means_every_status_that_is_not_final() -> None:
    found = tasks._query(NOTHING | {"status": tasks.OPEN}).statuses
    assert set(found) == {status.value for status in TaskStatus if status not in FINAL_TASK_STATUSES}


def test_addresses_and_ids_have_any_letter_case() -> None:
    form = {"status": "FAILED", "deal": "0x" + "AB" * 32}
    form |= {"requester": wallet_of(10).lower(), "worker": wallet_of(11)}
    assert tasks._query(form) == TaskQuery(("FAILED",), "0x" + "ab" * 32, wallet_of(10), wallet_of(11))


@pytest.mark.parametrize("field", ["status", "deal", "requester", "worker"])
def test_a_malformed_filter_is_refused(field: str) -> None:
    with pytest.raises(BadRequest):
        tasks._query(NOTHING | {field: "0x12"})


def test_workers_are_filtered_by_the_reasons_of_workers_only() -> None:
    assert "WORKER_DRAINED" in workers.REASONS_OF_WORKERS
    assert "NO_TASK_WAITS" in workers.REASONS_OF_WORKERS
    assert "APP_FAILED" not in workers.REASONS_OF_WORKERS
    assert workers._codes("WORKER_BUSY") == {ReasonCode.WORKER_BUSY}


@pytest.mark.parametrize("seconds", list(workers.DURATIONS))
def test_every_duration_of_the_form_is_one_that_grpc_admits(seconds: str) -> None:
    duration = workers._duration({"seconds": seconds})
    validate(pb.DrainWorkerRequest(wallet_address=wallet_of(1), duration=duration))


def test_the_tasks_of_a_deal_are_counted_by_status_with_those_to_come() -> None:
    terms = deal_terms(DealId("0x" + "ab" * 32), start=1.0, execution_s=300)
    row = deals._row(DealView(terms, {TaskStatus.RUNNING: 1, TaskStatus.COMPLETED: 5}, 94), 2.0)
    assert row.counts == "5 COMPLETED, 1 RUNNING, 94 queued"
    assert dict(deals._facts(DealView(terms, {}, 0), 2.0))["Dataset"] == "none"


def test_what_is_unknown_of_the_wallet_is_left_out() -> None:
    nothing = WalletNow(OWNER, None, "away", None, 0, "away")
    assert wallet._stake(nothing) == wallet._sending(nothing) == []

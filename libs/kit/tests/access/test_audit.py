"""The audit log has who, what and from where, and no secret."""

import pytest
from google.protobuf.duration_pb2 import Duration
from structlog.testing import capture_logs
from workerpool_kit.access import audit
from workerpool_protocol.core.v1.pool_service_pb2 import DrainWorkerRequest

PEER = "ipv4:10.0.0.7:5000"


def test_an_order_names_operator_method_request_outcome_and_peer() -> None:
    with capture_logs() as lines:
        audit.order_handled("ops", "/p.S/Drain", DrainWorkerRequest(wallet_address="0x1"), "OK", PEER)
    (line,) = lines
    assert line == {
        "event": "audit.order_handled",
        "log_level": "info",
        "who": "ops",
        "method": "/p.S/Drain",
        "request": 'wallet_address: "0x1"',
        "outcome": "OK",
        "peer": PEER,
    }


def test_a_request_that_json_cannot_express_is_logged() -> None:
    drain = DrainWorkerRequest(duration=Duration(nanos=2**31 - 1))
    with capture_logs() as lines:
        audit.order_handled("ops", "/p.S/Drain", drain, "INVALID_ARGUMENT", PEER)
        audit.order_handled("ops", "/p.S/Drain", DrainWorkerRequest(wallet_address="x" * 9_000), "OK", PEER)
    assert [len(line["request"]) < 1_001 for line in lines] == [True, True]


@pytest.mark.parametrize(
    ("write", "event"),
    [
        (lambda: audit.logged_in("0x1", PEER), "audit.logged_in"),
        (
            lambda: audit.access_refused("/p.S/Drain", "UNAUTHENTICATED", "wrong", PEER),
            "audit.access_refused",
        ),
    ],
)
def test_logins_and_refusals_name_the_peer(write, event: str) -> None:  # type: ignore[no-untyped-def]
    with capture_logs() as lines:
        write()
    assert [(line["event"], line["peer"]) for line in lines] == [(event, PEER)]


def test_an_ipv6_address_has_its_brackets() -> None:
    with capture_logs() as lines:
        audit.logged_in("0x1", "ipv6:%5B::1%5D:5000")
    assert lines[0]["peer"] == "ipv6:[::1]:5000"

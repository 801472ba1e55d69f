"""The memory of gateways that failed: asked last for a while, never left out."""

from workerpool_kit.clock import FakeClock
from workerpool_worker.domain.fetching.gateways import FIRST_PAUSE_S, LONGEST_PAUSE_S, GatewayHealth

A, B, C = GATEWAYS = ("https://a", "https://b", "https://c")


def test_gateways_are_tried_as_configured() -> None:
    assert GatewayHealth().order(GATEWAYS, 0.0) == GATEWAYS


def test_a_failed_gateway_is_tried_last_until_its_pause_ends() -> None:
    clock, health = FakeClock(), GatewayHealth()
    assert health.failed(A, clock.now()) == FIRST_PAUSE_S
    assert health.order(GATEWAYS, clock.now()) == (B, C, A)
    clock.advance(FIRST_PAUSE_S - 1)
    assert health.order(GATEWAYS, clock.now()) == (B, C, A)
    clock.advance(1)
    assert health.order(GATEWAYS, clock.now()) == GATEWAYS


def test_the_pause_doubles_up_to_a_limit() -> None:
    clock, health = FakeClock(), GatewayHealth()
    pauses = []
    for _ in range(8):
        pauses.append(health.failed(A, clock.now()))
        clock.advance(pauses[-1])
    assert pauses == [30.0, 60.0, 120.0, 240.0, 480.0, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


def test_one_outage_counts_once_for_any_number_of_tasks() -> None:
    clock, health = FakeClock(), GatewayHealth()
    assert health.failed(A, clock.now()) == FIRST_PAUSE_S
    for _ in range(99):
        clock.advance(0.1)
        assert health.failed(A, clock.now()) == 0.0
    clock.advance(FIRST_PAUSE_S)
    assert health.failed(A, clock.now()) == 2 * FIRST_PAUSE_S


def test_a_success_and_a_long_time_forget_failures() -> None:
    clock, health = FakeClock(), GatewayHealth()
    health.failed(A, clock.now())
    health.worked(A)
    assert health.order(GATEWAYS, clock.now()) == GATEWAYS
    assert health.failed(A, clock.now()) == FIRST_PAUSE_S
    clock.advance(FIRST_PAUSE_S + LONGEST_PAUSE_S)
    assert health.failed(A, clock.now()) == FIRST_PAUSE_S


def test_if_all_failed_the_one_with_the_shortest_pause_is_tried_first() -> None:
    clock, health = FakeClock(), GatewayHealth()
    for gateway in (C, A, B):
        health.failed(gateway, clock.now())
        clock.advance(1)
    assert health.order(GATEWAYS, clock.now()) == (C, A, B)

"""Whose clock is wrong."""

import pytest
from workerpool_worker.domain.diagnosis.clock import clock_finding, clock_trouble
from workerpool_worker.domain.diagnosis.findings import Severity

NOW = 1_800_000_000.0
HOUR = 3600.0


@pytest.mark.parametrize(
    ("core", "block", "outcome", "told"),
    [
        pytest.param(NOW - 2, NOW - 5, Severity.OK, "2.0 s", id="right"),
        pytest.param(NOW + 10, NOW - 40 * HOUR, Severity.OK, "10.0 s", id="right-on-a-quiet-chain"),
        pytest.param(NOW - HOUR, NOW - HOUR - 3, Severity.PROBLEM, "1 h 0 min ahead of", id="ahead"),
        pytest.param(NOW + HOUR, NOW + HOUR - 3, Severity.PROBLEM, "behind the newest block", id="behind"),
        pytest.param(NOW + HOUR, NOW - 3, Severity.PROBLEM, "1 h 0 min behind", id="behind-a-quiet-chain"),
        pytest.param(NOW - HOUR, NOW - 3, Severity.WARNING, "the scheduler's clock is", id="core-is-behind"),
        pytest.param(None, NOW + HOUR, Severity.PROBLEM, "behind the newest block", id="behind-without-core"),
        pytest.param(None, NOW - 3, Severity.OK, "agrees with the newest block", id="right-without-core"),
        pytest.param(None, NOW - HOUR, Severity.SKIPPED, "1 h 0 min old", id="unknown-without-core"),
        pytest.param(NOW + 1, None, Severity.OK, "1.0 s", id="right-without-node"),
        pytest.param(NOW - 2 * HOUR, None, Severity.PROBLEM, "2 h 0 min ahead", id="ahead-without-node"),
        pytest.param(None, None, Severity.SKIPPED, "scheduler or a node", id="nothing-known"),
    ],
)
def test_the_block_shows_which_of_two_clocks_is_wrong(
    core: float | None, block: float | None, outcome: Severity, told: str
) -> None:
    finding = clock_finding(NOW, core, block)
    assert finding.severity is outcome
    assert told in finding.message


@pytest.mark.parametrize(
    ("core", "block", "told"),
    [
        pytest.param(NOW - HOUR, NOW - HOUR - 3, "1 h 0 min ahead of the scheduler's", id="ahead"),
        pytest.param(NOW + HOUR, NOW + HOUR - 3, "behind the newest block", id="behind"),
        pytest.param(NOW - HOUR, None, "1 h 0 min ahead of the scheduler's", id="ahead-without-node"),
        pytest.param(NOW + HOUR, NOW - 40 * HOUR, "1 h 0 min behind", id="behind-on-a-quiet-chain"),
        pytest.param(NOW - 2, NOW - 5, "", id="right"),
        pytest.param(NOW - 2, NOW + 40 * HOUR, "", id="right-on-a-chain-whose-time-was-moved"),
        pytest.param(NOW + HOUR, NOW - 3, "", id="core-is-ahead"),
        pytest.param(NOW - HOUR, NOW - 3, "", id="core-is-behind"),
        pytest.param(NOW - HOUR, NOW - 60, "", id="core-is-behind-the-newest-block"),
        pytest.param(None, NOW + HOUR, "", id="without-core"),
        pytest.param(None, None, "", id="nothing-known"),
    ],
)
def test_a_clock_is_wrong_for_sure_only_against_scheduler_and_chain(
    core: float | None, block: float | None, told: str
) -> None:
    found = clock_trouble(NOW, core, block)
    assert told in found
    assert bool(found) is bool(told)

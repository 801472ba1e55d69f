"""Details of single rules: words, borders, and what a service itself advises."""

from dataclasses import replace

from poolctl.domain.diagnosis import chain_rules, host_rules, service_rules
from poolctl.domain.diagnosis.facts import Volume
from poolctl.domain.diagnosis.findings import Severity

from .sample import GIB, HEALTHY, component, with_chain, with_core


def test_the_advice_of_a_service_is_passed_on_with_its_variable() -> None:
    facts = with_core(
        health=component("database", problem="no primary", variable="MONGO_URI", next_step="start it")
    )
    found = next(iter(service_rules.components(facts)))
    assert found.next_step == "start it [MONGO_URI]"
    assert "no primary" in found.message


def test_a_component_without_advice_gets_the_advice_of_the_rule() -> None:
    found = next(iter(service_rules.components(with_core(health=component("database")))))
    assert "MONGO_URI" in found.next_step


def test_a_lag_of_two_blocks_is_not_behind() -> None:
    (found,) = chain_rules.behind(with_chain(head=1_002))
    assert found.severity is Severity.OK


def test_a_fast_chain_is_judged_by_time() -> None:
    (found,) = chain_rules.behind(with_chain(head=1_100, block_time_s=0.25))
    assert found.severity is Severity.OK


def test_a_small_volume_is_judged_by_its_size() -> None:
    facts = replace(
        HEALTHY, volumes=(Volume("/small", 15 << 20, 20 << 20), Volume("/large", 3 * GIB, 100 * GIB))
    )
    assert [each.severity for each in host_rules.volumes(facts)] == [Severity.OK, Severity.OK]

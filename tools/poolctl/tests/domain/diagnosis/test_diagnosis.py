"""Facts in, findings out: each fault by its code, with why and what to do; nothing for a healthy pool."""

from dataclasses import replace

import pytest
from poolctl.domain.diagnosis.diagnosis import RULES, diagnose
from poolctl.domain.diagnosis.facts import Certificate, Facts, Pool, Port, Volume
from poolctl.domain.diagnosis.findings import Code, Severity

from .sample import (
    ADAPTER,
    CORE,
    GIB,
    HEALTHY,
    NOW,
    OTHER,
    POOL,
    component,
    with_chain,
    with_core,
    with_wallet,
)

DAY = 86_400.0


def test_a_healthy_pool_has_no_finding_but_ok() -> None:
    assert {each.severity for each in diagnose(HEALTHY)} == {Severity.OK}


def test_every_rule_accepts_missing_facts() -> None:
    assert not [each for each in diagnose(Facts(now=NOW)) if each.severity is Severity.PROBLEM]


FAULTS = {
    "wrong pool owner": (with_chain(owner=OTHER), Code.WRONG_POOL_OWNER, Severity.PROBLEM),
    "another pool": (replace(HEALTHY, configured_pool=OTHER), Code.WRONG_POOL, Severity.PROBLEM),
    "no such pool": (with_chain(pool_exists=False, owner=""), Code.WRONG_POOL, Severity.PROBLEM),
    "empty wallet": (with_wallet(balance_wei=0, transactions_left=0), Code.EMPTY_WALLET, Severity.PROBLEM),
    "wallet runs low": (with_wallet(transactions_left=50), Code.EMPTY_WALLET, Severity.WARNING),
    "wallet parked": (with_wallet(parked_reason="fee above the cap"), Code.WALLET_PARKED, Severity.PROBLEM),
    "low stake": (with_wallet(stake_nrlc=10**9), Code.LOW_STAKE, Severity.PROBLEM),
    "chain behind": (replace(HEALTHY, pool=Pool(POOL, 1_000, 900, 3)), Code.CHAIN_BEHIND, Severity.PROBLEM),
    "node of core behind": (
        replace(HEALTHY, pool=Pool(POOL, 900, 900, 3)),
        Code.CHAIN_BEHIND,
        Severity.PROBLEM,
    ),
    "node away": (with_chain(problem="it does not answer"), Code.NODE_UNREACHABLE, Severity.PROBLEM),
    "wrong chain": (
        with_chain(problem="serves chain 1", wrong_chain=True),
        Code.WRONG_CHAIN,
        Severity.PROBLEM,
    ),
    "mongo down": (
        with_core(
            health=component("database", problem="no primary", variable="MONGO_URI", next_step="start it")
        ),
        Code.MONGO_DOWN,
        Severity.PROBLEM,
    ),
    "clock behind the chain": (with_chain(head_time=NOW + 3_600), Code.CLOCK_SKEW, Severity.PROBLEM),
    "clock of a service": (with_core(clock_offset_s=-120.0), Code.CLOCK_SKEW, Severity.PROBLEM),
    "expired certificate": (
        with_core(certificate=Certificate("https://core.example", NOW - DAY, "certificate has expired")),
        Code.CERTIFICATE_EXPIRED,
        Severity.PROBLEM,
    ),
    "expired certificate in a file": (
        replace(HEALTHY, certificates=(Certificate("/etc/own.pem", NOW - 1),)),
        Code.CERTIFICATE_EXPIRED,
        Severity.PROBLEM,
    ),
    "certificate expires": (
        with_core(certificate=Certificate("https://core.example", NOW + 3 * DAY)),
        Code.CERTIFICATE_EXPIRES_SOON,
        Severity.WARNING,
    ),
    "certificate of another name": (
        with_core(certificate=Certificate("https://core.example", NOW + 90 * DAY, "Hostname mismatch")),
        Code.CERTIFICATE_WRONG,
        Severity.PROBLEM,
    ),
    "default password": (
        replace(HEALTHY, weak_passwords=("PROD_MONGO_PASSWORD",)),
        Code.DEFAULT_PASSWORD,
        Severity.PROBLEM,
    ),
    "exposed secret": (
        replace(HEALTHY, exposed_files={"/opt/core/core_wallet.json": "0644"}),
        Code.SECRET_EXPOSED,
        Severity.WARNING,
    ),
    "full disk": (
        replace(HEALTHY, volumes=(Volume("/opt", 10 << 20, 100 * GIB),)),
        Code.DISK_FULL,
        Severity.PROBLEM,
    ),
    "nearly full disk": (
        replace(HEALTHY, volumes=(Volume("/opt", GIB, 100 * GIB),)),
        Code.DISK_FULL,
        Severity.WARNING,
    ),
    "full volume of a service": (
        with_core(health=component("workspace", problem="full")),
        Code.DISK_FULL,
        Severity.PROBLEM,
    ),
    "HTTP port closed": (
        replace(
            HEALTHY,
            services=(replace(CORE, http=Port("core:13000", "connection refused"), health=None), ADAPTER),
        ),
        Code.PORT_CLOSED,
        Severity.PROBLEM,
    ),
    "gRPC port closed": (
        with_core(grpc=Port("core:23000", "connection refused")),
        Code.PORT_CLOSED,
        Severity.PROBLEM,
    ),
    "another program": (
        with_core(problem="HTTP 404", health=None),
        Code.SERVICE_UNREACHABLE,
        Severity.PROBLEM,
    ),
    "another component": (with_core(health=component("proxy")), Code.SERVICE_UNHEALTHY, Severity.PROBLEM),
    "wrong credentials": (with_core(refused="wrong password"), Code.CREDENTIALS_REFUSED, Severity.PROBLEM),
    "other versions": (with_core(version="1.3.0"), Code.VERSIONS_DIFFER, Severity.WARNING),
    "no workers": (replace(HEALTHY, pool=Pool(POOL, 1_000, 1_000, 0)), Code.NO_WORKERS, Severity.WARNING),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_why_and_what_to_do(name: str) -> None:
    facts, code, severity = FAULTS[name]
    found = [each for each in diagnose(facts) if each.severity in (Severity.PROBLEM, Severity.WARNING)]
    assert [(each.code, each.severity) for each in found] == [(code, severity)]
    assert found[0].message
    assert found[0].why
    assert found[0].next_step


def test_every_code_has_a_fault_that_shows_it() -> None:
    assert {code for _, code, _ in FAULTS.values()} == set(Code)


def test_every_rule_is_run_once() -> None:
    assert len(set(RULES)) == len(RULES)


def test_a_silent_chain_is_not_behind() -> None:
    facts = with_chain(head_time=NOW - 3_600)
    assert Code.CHAIN_BEHIND not in {each.code for each in diagnose(facts)}


def test_a_free_pool_needs_no_stake() -> None:
    facts = replace(with_wallet(stake_nrlc=0), offered=None)
    assert Code.LOW_STAKE not in {each.code for each in diagnose(facts)}

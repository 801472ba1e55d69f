"""Judgements on versions, money, disks and folders."""

from pathlib import Path

import pytest
from workerpool_poco.protocol.model import Account
from workerpool_transactions.domain.balance import min_balance
from workerpool_worker.domain.containers.disk import DiskLimits, DiskUsage
from workerpool_worker.domain.diagnosis.findings import Code, Finding, Severity, has_problem, ok, skipped
from workerpool_worker.domain.diagnosis.judgements import (
    disk_finding,
    gas_finding,
    place_finding,
    stake_finding,
    version_finding,
)

GIB = 1 << 30


def test_a_required_version_must_be_equal() -> None:
    assert version_finding("1.0", "", "2.0").severity is Severity.OK
    assert version_finding("1.0", "1.0", "").severity is Severity.OK
    wrong = version_finding("1.0", "1.1", "1.1")
    assert (wrong.severity, wrong.code) == (Severity.PROBLEM, Code.WRONG_VERSION)


def test_locked_stake_is_no_free_stake() -> None:
    assert stake_finding(Account(1, 0), "0xW").severity is Severity.OK
    assert stake_finding(Account(0, 5), "0xW").code is Code.NO_STAKE


def test_gas_is_judged_by_the_rule_of_the_worker() -> None:
    price = 10**9
    assert gas_finding(min_balance(price), price, "0xW").severity is Severity.OK
    assert gas_finding(min_balance(price) - 1, price, "0xW").code is Code.NO_GAS
    assert gas_finding(0, 0, "0xW").severity is Severity.OK


@pytest.mark.parametrize("free", [DiskUsage(GIB, 1 << 40), DiskUsage(1 << 40, 5)])
def test_a_disk_is_full_in_bytes_or_in_files(free: DiskUsage) -> None:
    limits = DiskLimits(floor_bytes=2 * GIB)
    assert disk_finding("disk", Path("/x"), free, limits).code is Code.DISK_FULL
    assert disk_finding("disk", Path("/x"), DiskUsage(1 << 40, 1 << 40), limits).severity is Severity.OK


@pytest.mark.parametrize(
    ("folder", "warned"),
    [("/tmp/iexec-worker", True), ("/run/w", True), ("/var/lib/w", False), ("/tmpx", False)],
)
def test_a_folder_that_a_reboot_empties_is_named(folder: str, warned: bool) -> None:
    assert (place_finding(Path(folder), chosen=False) is not None) is warned


def test_only_problems_count() -> None:
    looked: list[Finding] = [ok("a", "b"), skipped("c", "d")]
    assert not has_problem(looked)
    assert has_problem([*looked, version_finding("1", "2", "")])

"""Findings as text: what, why, what to do."""

from poolctl.domain.diagnosis.findings import Code, ok, problem, skipped, warning
from poolctl.rendering.setup_views import findings_view, plan_view, summary

from .shown import shown

FINDINGS = [
    ok("disk", "enough room"),
    problem("wallet", Code.EMPTY_WALLET, "the wallet is empty", "nothing is sent", "send coins"),
    warning("workers", Code.NO_WORKERS, "no worker is connected", "tasks wait", "start one"),
    skipped("owner", "a node"),
]


def test_a_finding_shows_what_why_and_what_to_do() -> None:
    lines = [line.strip() for line in shown(findings_view(FINDINGS, every=False)).splitlines()]
    assert lines[:3] == [
        "problem the wallet is empty  [EMPTY_WALLET]",
        "why: nothing is sent",
        "do:  send coins",
    ]
    assert not [line for line in lines if "enough room" in line]


def test_all_findings_are_shown_on_request() -> None:
    text = shown(findings_view(FINDINGS, every=True))
    assert "enough room" in text
    assert "not checked" in text


def test_the_summary_counts() -> None:
    assert summary(FINDINGS) == "1 problem and 1 warning; 1 checks were not possible."
    assert summary([ok("a", "b")]) == "No problem found in 1 check."


def test_a_plan_shows_what_was_kept_and_done() -> None:
    document = {
        "pool": "0xpool",
        "owner": "0xowner",
        "worker": None,
        "executed": True,
        "steps": [
            {"kind": "wallet", "what": "core_wallet.json", "was_done": True, "transaction": None},
            {"kind": "register", "what": "register it", "was_done": False, "transaction": "0xhash"},
        ],
    }
    lines = shown(plan_view(document)).splitlines()
    assert lines[0].split() == ["kept", "core_wallet.json"]
    assert lines[1].split() == ["done", "register", "it", "0xhash"]
    planned = shown(plan_view(document | {"executed": False}))
    assert "would do" in planned
    assert "Next" not in planned

"""Deals for simulations and tests; irrelevant terms have the simplest value."""

from typing import Any

from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId, task_id_of

from workerpool_core.domain.model import DealTerms

CONTRIBUTION_PERIODS, FINAL_PERIODS = 7, 10
"""A task's deadlines, in category times after the start of its deal (a rule of the hub, core spec §6.3)."""


def deal_terms(deal_id: DealId, *, start: float, execution_s: int, **changed: Any) -> DealTerms:
    """Return the terms of a deal with one standard task and trust 1; `changed` replaces some of them.

    The deadlines follow from `start` (Unix seconds) and the category time `execution_s` (seconds).
    """
    terms: dict[str, Any] = {
        "deal_id": deal_id,
        "block": 0,
        "app_address": "0xApp",
        "app_uri": "docker.io/app",
        "command_line": "",
        "input_files": (),
        "dataset_address": ZERO_ADDRESS,
        "dataset_uri": "",
        "dataset_checksum": "",
        "trust": 1,
        "category": 0,
        "max_execution_s": execution_s,
        "tag": "0x" + "00" * 32,
        "requester": "0xRequester",
        "beneficiary": "0xBeneficiary",
        "callback": ZERO_ADDRESS,
        "bot_first": 0,
        "bot_size": 1,
        "worker_stake": 0,
        "start_time": start,
        "contribution_deadline": start + CONTRIBUTION_PERIODS * execution_s,
        "final_deadline": start + FINAL_PERIODS * execution_s,
    }
    return DealTerms(**(terms | changed))


def tasks_of(terms: DealTerms) -> list[TaskId]:
    """Return the ids of a deal's tasks."""
    return [task_id_of(terms.deal_id, terms.bot_first + place) for place in range(terms.bot_size)]

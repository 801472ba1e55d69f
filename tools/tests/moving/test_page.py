"""Every older variable is explained, and every successor is a setting of a service."""

import re
from pathlib import Path

import pytest
from moving.older_variables import PROCESSES, OlderProcess
from moving.page import UnexplainedVariable, answer, declared, older_variables_page, settings_of
from moving.successors import NOTES, REASONS, SUCCESSORS

ROOT = Path(__file__).resolve().parents[3]
OF_XWHEP = next(process for process in PROCESSES if not process.service)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.service or "xwhep")
def test_every_variable_of_a_process_is_explained(process: OlderProcess) -> None:
    assert len(set(process.variables)) == len(process.variables)
    for variable in process.variables:
        assert answer(process, variable).text


def test_a_variable_without_an_explanation_is_refused() -> None:
    with pytest.raises(UnexplainedVariable, match="NOBODYS_VARIABLE"):
        answer(OF_XWHEP, "NOBODYS_VARIABLE")


def test_every_successor_is_a_setting_of_its_service() -> None:
    named = {setting for successor in SUCCESSORS.values() for setting in successor.settings}
    assert {(service, name) for service, name in named if name not in declared(service)} == set()
    for service, name in named:
        assert name not in settings_of(service).ignored_variables


def test_notes_and_reasons_belong_to_a_listed_variable() -> None:
    listed = {(process.service, name) for process in PROCESSES for name in process.variables}
    names = {name for _, name in listed}
    assert set(NOTES) <= listed
    assert set(SUCCESSORS) | set(REASONS) <= names
    assert not set(SUCCESSORS) & set(REASONS)


def test_a_variable_of_the_same_name_an_older_name_and_a_moved_one_are_told_apart() -> None:
    core, adapter = PROCESSES[0], PROCESSES[1]
    assert answer(core, "IEXEC_CORE_PORT").text == "the same"
    assert answer(core, "IEXEC_PRIVATE_CHAIN_ADDRESS").text == (
        "still read; the newer name is `IEXEC_BLOCKCHAIN_NODE_ADDRESS`"
    )
    assert answer(core, "IEXEC_HUB_ADDRESS").kind == "no effect"
    assert answer(adapter, "IEXEC_BLOCKCHAIN_ADAPTER_API_MONGO_HOST").text == (
        "still read; the newer name is `MONGO_HOST`"
    )
    assert answer(OF_XWHEP, "ADMINLOGIN").text == "`IEXEC_CORE_OPERATOR_USERNAME` of core"
    assert answer(OF_XWHEP, "RLCCONTRACT").kind == "reason"


def test_the_page_has_a_row_for_each_variable() -> None:
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| .+ \|$", older_variables_page(), re.MULTILINE)
    assert sorted(rows) == sorted(name for process in PROCESSES for name in process.variables)

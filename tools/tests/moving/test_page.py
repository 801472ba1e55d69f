"""Every older variable is explained, and every successor is a setting of a service."""

import re
from pathlib import Path

import pytest
from moving.older_variables import PROCESSES, OlderProcess
from moving.page import UnexplainedVariable, answer, declared, older_variables_page, settings_of
from moving.successors import NOTES, OLDER, env_advice
from pool_env.env_file import parse

ROOT = Path(__file__).resolve().parents[3]
OF_XWHEP = next(process for process in PROCESSES if not process.service)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.service or "xwhep")
def test_every_variable_of_a_process_is_explained(process: OlderProcess) -> None:
    assert len(set(process.variables)) == len(process.variables)
    for variable in process.variables:
        assert answer(process, variable).text


def test_a_variable_without_an_explanation_is_refused() -> None:
    with pytest.raises(UnexplainedVariable, match="UNEXPLAINED_VARIABLE"):
        answer(OF_XWHEP, "UNEXPLAINED_VARIABLE")


def test_every_successor_is_a_setting_of_its_service() -> None:
    named = {setting for older in OLDER.values() for setting in older.settings}
    assert {(service, name) for service, name in named if name not in declared(service)} == set()
    for service, name in named:
        assert name not in settings_of(service).ignored_variables


def test_every_name_in_env_exists_and_every_other_variable_has_a_reason() -> None:
    example = parse((ROOT / ".env.example").read_text())
    assert {older.env for older in OLDER.values() if older.env} <= set(example)
    for name, older in OLDER.items():
        assert not (older.settings and older.reason), name
        assert not (older.env and older.env_reason), name
        assert (name in example) != bool(older.env or older.env_reason or older.reason), name


def test_a_variable_of_env_is_replaced_or_removed() -> None:
    assert env_advice("ETHNODE") == "it is CHAIN_URL now"
    assert env_advice("DBUSER") == "remove it: the database is MongoDB, and mongo-init makes its users"
    assert env_advice("RLCCONTRACT") == "remove it: the hub holds the accounts; services read it"
    assert env_advice("PATH") is None


def test_notes_belong_to_a_listed_variable() -> None:
    assert set(NOTES) <= {(process.service, name) for process in PROCESSES for name in process.variables}


def test_a_variable_of_the_same_name_an_older_name_and_a_moved_one_are_distinguished() -> None:
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

"""The access table has a row for every method of the contracts, and knows every service. It needs no pool."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.access_table import ADMITTED, REFUSALS, ROLES, ROWS, To
from contract.fuzz.http_requests import PATHS
from contract.fuzz.test_fuzz import METHODS
from contract.http_table import HTTP_ROWS
from google.protobuf.descriptor import FileDescriptor

ROOT = Path(__file__).parents[2]
SERVICES = sorted(folder.name for folder in ROOT.glob("services/*") if (folder / "src").is_dir())


def contracts(service: str) -> Iterator[FileDescriptor]:
    """Yield the contracts that a service owns."""
    for path in sorted(ROOT.glob(f"protos/workerpool/{service}/v1/*.proto")):
        yield importlib.import_module(f"workerpool_protocol.{service}.v1.{path.stem}_pb2").DESCRIPTOR


def methods(service: str) -> set[str]:
    """Return the methods of the contracts of a service."""
    return {
        f"{each.full_name}/{method.name}"
        for file in contracts(service)
        for each in file.services_by_name.values()
        for method in each.methods
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_method_of_the_contracts_has_a_row_and_every_row_a_method(service: str) -> None:
    rows = ROWS.get("worker-1" if service == "worker" else service)
    assert rows is not None, f"add {service} to ROWS in tests/contract/access_table.py"
    assert set(rows) == methods(service)


@pytest.mark.parametrize("to", To)
def test_every_role_is_either_admitted_or_refused(to: To) -> None:
    refused = set(REFUSALS[to]) - ADMITTED[to]
    assert refused | ADMITTED[to] == set(ROLES)


@pytest.mark.parametrize("service", SERVICES)
def test_every_endpoint_is_fuzzed(service: str) -> None:
    name = "worker-1" if service == "worker" else service
    fuzzed = {(method, path.partition("?")[0]) for method, path in PATHS[name]}
    endpoints = {tuple(re.sub(r"\{[^}]*\}", "{}", row).split(" ")) for row in HTTP_ROWS.get(service, {})}
    assert fuzzed == endpoints
    assert {f"{name} {method}" for method in ROWS[name]} <= {" ".join(each) for each in METHODS}

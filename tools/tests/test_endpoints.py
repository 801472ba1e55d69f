"""The page of endpoints: every route and method of the code, and no other."""

import endpoints
import pytest
from contract import http_table
from contract.http_table import EVERYONE, Endpoint


def test_the_routes_of_core_are_found_in_its_code() -> None:
    found = endpoints.routes_of("core")
    assert {"GET /metrics", "GET /tasks/{task_id}", "GET /tasks/logs/challenge"} <= found
    assert "GET /{chain_id}/workerpools/{workerpool}" in found


def test_a_route_that_services_share_is_found_where_it_is_used() -> None:
    assert "GET /config/chain" in endpoints.routes_of("registry")
    assert "GET /config/chain" in endpoints.routes_of("chain_adapter")
    assert "GET /config/chain" not in endpoints.routes_of("core")


def test_the_routes_of_every_process_are_found() -> None:
    assert {"GET /actuator/health", "GET /version"} <= endpoints.built_in_routes()


def test_a_service_without_routes_has_none() -> None:
    assert endpoints.routes_of("nothing") == set()


def test_the_methods_have_their_messages_and_a_sentence() -> None:
    methods = {name: rest for name, *rest in endpoints.methods_of("core")}
    request, response, what = methods["TaskService/WatchTask"]
    assert (request, response) == ("WatchTaskRequest", "stream WatchTaskResponse")
    assert what.startswith("sends")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("GET /nothing", "has a row for 'GET /nothing', which no route serves"),
        ("GET /metrics", "lacks a row"),
    ],
)
def test_a_table_that_differs_from_the_code_is_refused(
    monkeypatch: pytest.MonkeyPatch, row: str, words: str
) -> None:
    rows = dict(http_table.HTTP_ROWS["core"])
    if row in rows:
        del rows[row]
    else:
        rows[row] = Endpoint(EVERYONE, "", "")
    monkeypatch.setitem(http_table.HTTP_ROWS, "core", rows)
    with pytest.raises(endpoints.StaleTable, match=words):
        endpoints.check_table()


def test_the_page_has_a_line_for_each_endpoint_and_method() -> None:
    page = endpoints.endpoints_page()
    for rows in http_table.HTTP_ROWS.values():
        for endpoint in rows:
            method, path = endpoint.split(" ", 1)
            assert f"| {method} | `{path}` |" in page
    assert "| `TaskService/GetTask` | every caller | GetTaskRequest | GetTaskResponse |" in page

"""The page of endpoints: every HTTP path and gRPC method of every service, from the code and the access tables.

HTTP routes are found by calling each function of a service's `api` package whose name ends with `routes`, with mocks.
"""

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

from starlette.routing import Route
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from contract.access_table import ROWS  # noqa: E402 (the tables of the contract tests)
from contract.http_table import EVERY_PROCESS, HTTP_ROWS, Endpoint  # noqa: E402

_SHARED_ROUTE = ("config_chain_route(", "GET /config/chain")
_RPC = re.compile(r"((?: *//[^\n]*\n)+) *rpc (\w+)\((stream )?(\w+)\) returns \((stream )?(\w+)\)")


class StaleTable(Exception):
    """The table of HTTP endpoints and the routes in the code differ; the message names what to add or remove."""


def services() -> list[str]:
    """Return the services of the repository by name."""
    return sorted(path.name for path in (ROOT / "services").iterdir() if (path / "src").is_dir())


# --- HTTP -----------------------------------------------------------------------------------------


def routes_of(service: str) -> set[str]:
    """Return the HTTP endpoints in the code of a service, such as `GET /tasks/{task_id}`."""
    found: set[str] = set()
    for module in _modules(f"workerpool_{service}.api"):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if (
                name.endswith("routes")
                and function.__module__ == module.__name__
                and not name.startswith("_")
            ):
                found |= set(_called(function))
    sources = (ROOT / "services" / service / "src").rglob("*.py")
    call, path = _SHARED_ROUTE
    if any(call in source.read_text() for source in sources):
        found.add(path)
    return found


def built_in_routes() -> set[str]:
    """Return the HTTP endpoints of every process."""
    app: Any = HttpServer(0, health=Health(), version="", host="127.0.0.1").app
    return {endpoint for route in app.routes for endpoint in _endpoints(route)}


def _modules(package: str) -> Iterator[ModuleType]:
    try:
        root = importlib.import_module(package)
    except ModuleNotFoundError:
        return
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        yield importlib.import_module(found.name)


def _called(function: Callable[..., Any]) -> Iterator[str]:
    mocks = {name: MagicMock() for name in inspect.signature(function).parameters}
    for route in function(**mocks):
        yield from _endpoints(route)


def _endpoints(route: Any) -> Iterator[str]:
    if isinstance(route, Route):
        methods = set(route.methods or ("GET",))
        # Starlette answers HEAD wherever it answers GET.
        for method in sorted(methods - {"HEAD"} if "GET" in methods else methods):
            yield f"{method} {route.path}"


def check_table() -> None:
    """Compare the table with the code. Raises StaleTable."""
    problems = _differences("EVERY_PROCESS", set(EVERY_PROCESS), built_in_routes())
    for service in services():
        problems += _differences(
            f'HTTP_ROWS["{service}"]', set(HTTP_ROWS.get(service, {})), routes_of(service)
        )
    if problems:
        raise StaleTable("tests/contract/http_table.py: " + "; ".join(problems))


def _differences(table: str, rows: set[str], routes: set[str]) -> list[str]:
    return [f"{table} lacks a row for {path!r}" for path in sorted(routes - rows)] + [
        f"{table} has a row for {path!r}, which no route serves" for path in sorted(rows - routes)
    ]


# --- gRPC -----------------------------------------------------------------------------------------


def methods_of(service: str) -> list[tuple[str, str, str, str]]:
    """Return the gRPC methods of a service: name, request, response, and the first sentence of its comment."""
    found = []
    for path in sorted((ROOT / "protos" / "workerpool" / service / "v1").glob("*.proto")):
        text = path.read_text()
        for block in re.finditer(r"^service (\w+) \{(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            for comment, name, up, request, down, response in _RPC.findall(block[2]):
                what = " ".join(line.strip().removeprefix("//").strip() for line in comment.splitlines())
                found.append(
                    (f"{block[1]}/{name}", up + request, down + response, _first_sentence(what, name))
                )
    return found


def _first_sentence(comment: str, name: str) -> str:
    sentence = re.split(r"(?<=[.;]) ", comment, maxsplit=1)[0].rstrip(".;")
    return sentence.removeprefix(f"{name} ")


def _callers(service: str, method: str) -> str:
    row = ROWS.get(service, {}).get(f"workerpool.{service}.v1.{method}")
    return row.to.value if row is not None else "see the service's settings"


# --- the page -------------------------------------------------------------------------------------


def endpoints_page() -> str:
    """Return the page. Raises StaleTable."""
    check_table()
    parts = [
        "# Endpoints\n\nMade by `make docs` from the routes and protos of the services and the tables of the contract\n"
        "tests (`tests/contract/http_table.py`, `tests/contract/access_table.py`); do not edit.\n\n"
        "gRPC listens 10000 above the HTTP port unless a setting says otherwise, and every gRPC server also serves\n"
        "`grpc.health.v1.Health` and reflection to every caller. A refused HTTP request is answered\n"
        '`{"error": "<CODE>: <sentence>", "code": "<CODE>"}`. GET answers HEAD too.\n',
        "\n## Every process, HTTP\n\n" + _http_table(EVERY_PROCESS),
    ]
    for service in services():
        if rows := HTTP_ROWS.get(service):
            parts.append(f"\n## {service}, HTTP\n\n{_http_table(rows)}")
        if methods := methods_of(service):
            parts.append(
                f"\n## {service}, gRPC (`workerpool.{service}.v1`)\n\n{_grpc_table(service, methods)}"
            )
    return "".join(parts)


def _http_table(rows: dict[str, Endpoint]) -> str:
    lines = ["| method | path | who may | takes | answers |", "|---|---|---|---|---|"]
    for endpoint, row in rows.items():
        method, path = endpoint.split(" ", 1)
        lines.append(f"| {method} | `{path}` | {row.who} | {row.takes} | {row.answers} |")
    return "\n".join(lines) + "\n"


def _grpc_table(service: str, methods: list[tuple[str, str, str, str]]) -> str:
    lines = ["| method | who may | takes | answers | what it does |", "|---|---|---|---|---|"]
    lines += [
        f"| `{name}` | {_callers(service, name)} | {request} | {response} | {what} |"
        for name, request, response, what in methods
    ]
    return "\n".join(lines) + "\n"

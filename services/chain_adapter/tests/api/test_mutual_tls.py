"""With mutual TLS the documented HTTP endpoints take no command: only gRPC asks callers for a certificate."""

from typing import Any

import http_calls
import pytest
from workerpool_chain_adapter.api.http_routes import routes
from workerpool_kit.access.authenticators import BasicAuthenticator
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer

TASK = "0x" + "01" * 32


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/tasks/initialize"),
        ("POST", f"/v1/tasks/finalize/{TASK}"),
        ("GET", f"/v1/tasks/initialize/{TASK}/status"),
    ],
)
async def test_a_command_without_a_certificate_is_refused(method: str, path: str) -> None:
    unused: Any = None
    authenticator = BasicAuthenticator("admin", "word", "admin")
    http = HttpServer(
        0,
        health=Health(),
        version="1",
        routes=routes(unused, authenticator, mutual_tls=True),
        host="127.0.0.1",
    )
    await http.start()
    answer = await http_calls.request(
        method, f"http://127.0.0.1:{http.port}{path}", credentials=("admin", "word")
    )
    await http.stop()
    assert (answer.status, answer.json()["code"]) == (403, "PERMISSION_DENIED")
    assert "WORKERPOOL_TLS_CLIENT_CA" in answer.json()["error"]

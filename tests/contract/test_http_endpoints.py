"""The documented HTTP endpoints: their statuses without and with credentials."""

from typing import Any

import http_calls
import pytest
from contract.access_table import OPERATOR, OPERATOR_PASSWORD, ROWS, TASK, WALLET
from contract.pool import Pool

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

DEAL = f"/v1/tasks/initialize?chainDealId={TASK}&taskIndex=0"
STATUS = f"/v1/tasks/initialize/{TASK}/status"
OPEN = [
    *((service, f"/{path}", 200) for service in ROWS for path in ("version", "metrics", "actuator/info")),
    *((service, "/actuator/health", 200) for service in ROWS if service != "worker-1"),
    ("worker-1", "/actuator/health", 503),
    ("core", "/actuator/prometheus", 404),
    ("core", f"/tasks/logs/challenge?address={WALLET}", 200),
    ("core", "/tasks/logs/challenge", 400),
    ("core", "/tasks/logs/challenge?address=0x12", 400),
    ("core", f"/tasks/{TASK}", 404),
    ("core", "/tasks/0x12", 404),
    ("core", f"/tasks/{TASK}/logs", 401),
    ("core", f"/tasks/{TASK}/replicates/{WALLET}", 404),
    ("core", f"/tasks/{TASK}/replicates/0x12", 400),
    ("core", f"/tasks/{TASK}/replicates/{WALLET}/logs", 401),
    ("core", "/nothing", 404),
    ("registry", "/config/chain", 200),
    ("registry", "/application/default", 200),
    ("result_proxy", f"/results/{TASK}", 404),
    ("result_proxy", "/results/0x12", 404),
    ("chain_adapter", "/config/chain", 200),
    ("chain_adapter", STATUS, 401),
]


@pytest.mark.usefixtures("lone_worker")
async def test_documented_endpoints_answer_with_their_status(pool: Pool) -> None:
    found = {}
    for service, path, _ in OPEN:
        answer = await http_calls.get(pool.net.services[service].http + path)
        found[service, path] = answer.status
        # A refusal carries a code for programs and a sentence for people.
        if answer.status in (400, 401, 403, 409) or "UNKNOWN" in answer.text:
            assert set(answer.json()) >= {"error", "code"}, path
    assert found == {(service, path): status for service, path, status in OPEN}


async def test_the_http_port_of_the_adapter_requires_its_credentials(pool: Pool) -> None:
    username, password = pool.adapter_credentials()
    expected: dict[Any, tuple[int, int, int]] = {
        None: (401, 401, 401),
        (username, password + "!"): (401, 401, 401),
        (OPERATOR, OPERATOR_PASSWORD): (401, 401, 401),
        (username, password): (400, 404, 400),
    }
    base = pool.net.services["chain_adapter"].http
    finalize = f"{base}/v1/tasks/finalize/{TASK}"
    for credentials, statuses in expected.items():
        answers = (
            await http_calls.post(base + DEAL, credentials=credentials),
            await http_calls.get(base + STATUS, credentials=credentials),
            await http_calls.post(finalize, credentials=credentials, body={"resultLink": ""}),
        )
        assert tuple(answer.status for answer in answers) == statuses, credentials

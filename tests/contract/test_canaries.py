"""No secret of the pool stands in a log, a metric, an answer or a process list."""

import json
from pathlib import Path
from typing import Any

import grpc
import http_calls
import pytest
from canaries.planted import Canaries, basic_header
from canaries.processes import process_texts
from contract.access_table import OPERATOR, OPERATOR_PASSWORD, ROWS
from contract.fuzz.http_requests import PATHS
from contract.method_calls import call
from contract.pool import Pool
from workerpool_devnet.devnet import Devnet

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

WRONG = "canary of a wrong password"
_TEXTS = ("/metrics", "/actuator/prometheus", "/actuator/health", "/actuator/info", "/version")


def core_environment(net: Devnet) -> dict[str, str]:
    return {"IEXEC_CORE_OPERATOR_USERNAME": OPERATOR, "IEXEC_CORE_OPERATOR_PASSWORD": OPERATOR_PASSWORD}


async def planted(pool: Pool) -> Canaries:
    """Return every secret that the services were given, and those that clients send them."""
    secrets = {
        "the operator's password": OPERATOR_PASSWORD,
        "the operator's header": basic_header(OPERATOR, OPERATOR_PASSWORD),
        "the adapter's header": basic_header(*pool.adapter_credentials()),
        "a wrong password": WRONG,
    }
    for number, wallet in enumerate(pool.net.worker_wallets[:2], start=1):
        secrets[f"the token of worker {number}"] = (await pool.login(wallet)).rpartition(".")[2]
    for name, service in pool.net.services.items():
        for variable, value in service.spec.environment.items():
            if variable.endswith("_PASSWORD_FILE"):
                secrets[f"{variable} of {name}"] = Path(value).read_text().strip()
            if variable.endswith("_WALLET_PATH"):
                crypto = json.loads(Path(value).read_text())["crypto"]
                secrets[f"the encrypted key of {name}"] = crypto["ciphertext"]
                secrets[f"the check sum of the key of {name}"] = crypto["mac"]
    return Canaries(secrets)


async def call_everything(pool: Pool) -> dict[str, str]:
    """Call every method and endpoint with right and wrong credentials; return the answers of the endpoints."""
    tokens = [await pool.login(wallet) for wallet in pool.net.worker_wallets[:2]]
    headers = [
        f"Basic {basic_header(OPERATOR, OPERATOR_PASSWORD)}",
        f"Basic {basic_header(*pool.adapter_credentials())}",
        f"Basic {basic_header(OPERATOR, WRONG)}",
        *(f"Bearer {token}" for token in tokens),
        f"Bearer {WRONG}",
    ]
    for service, rows in ROWS.items():
        channel = pool.channel(service)
        for method, row in rows.items():
            for number, header in enumerate(headers):
                # Wrong passwords of one caller do not keep another one out.
                address = ("x-forwarded-for", f"203.0.113.{number}")
                metadata = grpc.aio.Metadata(("authorization", header), address)
                await call(channel, method, row.request, metadata)
    answers: dict[str, str] = {}
    for service, paths in PATHS.items():
        base = pool.net.services[service].http
        asked = [
            *(("GET", path) for path in _TEXTS),
            *((how, path.format(*["x"] * 4)) for how, path in paths),
        ]
        for how, path in asked:
            for header in headers:
                answer = await http_calls.request(how, base + path, headers={"Authorization": header})
                answers[f"{how} {path} of {service}"] = f"{dict(answer.headers)} {answer.text}"
    return answers


@pytest.mark.usefixtures("lone_worker")
async def test_no_secret_is_shown_anywhere(pool: Pool) -> None:
    canaries, answers = await planted(pool), await call_everything(pool)
    services: dict[str, Any] = {name: pool.net.services[name].process for name in PATHS}
    texts = dict(answers)
    for name, process in services.items():
        texts |= {f"{place} ({name})": text for place, text in process_texts(process.pid).items()}
        texts[f"the log of {name}"] = process.log.read_text(errors="replace")
    assert all(texts[f"the log of {name}"] for name in services)
    assert [sentence for place, text in texts.items() for sentence in canaries.found_in(place, text)] == []

"""Random messages and requests at every port of every service: nothing unexpected happens."""

import asyncio
import base64
import itertools
import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import http_calls
import pytest
from contract.access_table import OPERATOR, OPERATOR_PASSWORD, ROWS
from contract.fuzz import grpc_calls, http_requests
from contract.fuzz.values import Values
from contract.pool import Pool
from contract.uploaders import uploader_token
from grpc import StatusCode
from workerpool_devnet.devnet import Devnet
from workerpool_kit.errors import Kind
from workerpool_kit.grpc.errors import CODES
from workerpool_kit.http.answers import GRPC_STATUS

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

SHORT, LONG = (3_500, 1_500), (70_000, 30_000)
"""Messages and HTTP requests of a run in CI, and of the long run: 5,000 and 100,000 inputs."""
SEED = int(os.environ.get("FUZZ_SEED", "1"))
CONCURRENT = 16
_UNEXPECTED = (StatusCode.INTERNAL, StatusCode.UNKNOWN, StatusCode.DATA_LOSS, StatusCode.UNAVAILABLE)
_EVERYWHERE = (
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/Watch",
    "grpc.health.v1.Health/List",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
METHODS = [(service, method) for service, rows in ROWS.items() for method in (*rows, *_EVERYWHERE)]


SMS_API_KEY = "the operator's key of the SMS"


def core_environment(net: Devnet) -> dict[str, str]:
    return {"IEXEC_CORE_OPERATOR_USERNAME": OPERATOR, "IEXEC_CORE_OPERATOR_PASSWORD": OPERATOR_PASSWORD}


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def sms_environment(net: Devnet) -> dict[str, str]:
    return {"IEXEC_SMS_ADMIN_API_KEY": SMS_API_KEY}


@pytest.fixture
async def known(pool: Pool) -> list[str]:
    """Texts that exist on this pool, so that random requests reach the code behind the checks."""
    tasks = await pool.buy(volume=3)
    net = pool.net
    wallets = [wallet.address for wallet in net.worker_wallets]
    return [*tasks, *wallets, net.workerpool, net.accounts["requester"].address, "0x" + "ab" * 65]


@pytest.fixture
async def roles(pool: Pool) -> list[str | None]:
    tokens = [f"Bearer {await pool.login(wallet)}" for wallet in pool.net.worker_wallets[:2]]
    operators = [basic(OPERATOR, OPERATOR_PASSWORD), basic(*pool.adapter_credentials())]
    uploader = f"Bearer {await uploader_token(pool, pool.net.worker_wallets[0])}"
    return [None, *tokens, uploader, *operators, "Bearer x.y.z", "Basic !!!"]


@pytest.mark.usefixtures("lone_worker")
@pytest.mark.parametrize("amount", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)], ids=["short", "long"])
async def test_random_input_causes_nothing_unexpected(
    pool: Pool, known: list[str], roles: list[str | None], amount: tuple[int, int]
) -> None:
    values = Values(random.Random(SEED), known)
    pids = {name: pool.net.services[name].process.pid for name in http_requests.PATHS}
    statuses = await send_messages(pool, values, roles, amount[0])
    answers = await send_requests(pool, values, roles, amount[1])
    print(f"seed {SEED}: {dict(statuses)} {dict(answers)}")
    for name, pid in pids.items():
        service = pool.net.services[name]
        assert service.process.pid == pid, f"{name} was started again"
        assert (await http_calls.get(f"{service.http}/version")).status == 200
        lines = service.process.log.read_text(errors="replace").splitlines()
        assert not [line for line in lines if "Traceback" in line or "unexpected_error" in line], name


async def send_messages(pool: Pool, values: Values, roles: list[str | None], messages: int) -> Counter[str]:
    """Send random messages to random methods until `messages` were sent; return the statuses."""
    targets = [grpc_calls.Target(pool.channel(service), method) for service, method in METHODS]
    values.random.shuffle(targets)
    every = itertools.cycle(targets)
    statuses: Counter[str] = Counter()
    sent = 0

    async def send_some() -> None:
        nonlocal sent
        while sent < messages:
            target, role = next(every), values.random.choice(roles)
            # After some wrong passwords an address must wait, also with the right one.
            address = ("x-forwarded-for", f"203.0.113.{roles.index(role)}")
            metadata = (("authorization", role), address) if role else None
            count, status, details = await grpc_calls.fuzz(target, values, metadata)
            sent += count
            statuses[status.name] += 1
            assert status not in _UNEXPECTED, f"{target.method}: {status.name} {details}"

    await asyncio.gather(*(send_some() for _ in range(CONCURRENT)))
    return statuses


async def send_requests(pool: Pool, values: Values, roles: list[str | None], requests: int) -> Counter[int]:
    """Send random HTTP requests to every service in turn; return the statuses."""
    statuses: Counter[int] = Counter()
    services: Iterator[Any] = itertools.islice(itertools.cycle(http_requests.PATHS), requests)
    around = http_requests.Around(roles, SMS_API_KEY, pool.net.accounts["requester"], pool.net.chain.chain_id)

    async def send_some(client: Any) -> None:
        for service in services:
            base = pool.net.services[service].http
            sent, status = await http_requests.fuzz(client, base, service, values, around)
            assert status < 500 or _may_be_unavailable(sent, status), f"{service}: {status} to {sent}"
            statuses[status] += 1

    async with http_requests.session() as client:
        await asyncio.gather(*(send_some(client) for _ in range(CONCURRENT)))
    return statuses


def _may_be_unavailable(sent: str, status: int) -> bool:
    """Return whether 503 is right: the lone worker has no scheduler, or an input of this test restores a backup."""
    restoring = '"code":"RESTORE_RUNNING"' in sent or (
        sent.startswith("HEAD /") and sent.endswith(f"{GRPC_STATUS}: {CODES[Kind.UNAVAILABLE].value[0]}")
    )
    return status == 503 and (" /actuator/health" in sent or restoring)

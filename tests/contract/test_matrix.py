"""Who may call what: every method of every service, by everybody.

The methods are read from the running services by reflection; one without a row here fails.
"""

import asyncio
import base64
from dataclasses import dataclass
from enum import Enum
from typing import Any

import grpc
import httpx
import jwt
import pytest
import pytest_asyncio
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from workerpool_devnet.devnet import Devnet
from workerpool_kit.grpc_client import error_reason
from workerpool_poco.authorization import sign_authorization
from workerpool_poco.ids import bytes32, to_hex
from workerpool_poco.wallet import Wallet
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2
from workerpool_protocol.core.v1 import pool_service_pb2
from workerpool_protocol.registry.v1 import config_service_pb2, platform_service_pb2
from workerpool_protocol.result_proxy.v1 import result_service_pb2, result_service_pb2_grpc

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

PROTOCOL = descriptor_pool.Default()
for module in (transaction_service_pb2, config_service_pb2, platform_service_pb2):
    PROTOCOL.FindFileByName(module.DESCRIPTOR.name)  # importing a module is what puts it there

TASK = "0x" + "ab" * 32
WALLET = "0x" + "cd" * 20
SIGNATURE = "0x" + "11" * 65
OPERATOR, OPERATOR_PASSWORD = "operator", "correct horse"


def core_environment(net: Devnet) -> dict[str, str]:
    return {"IEXEC_CORE_OPERATOR_USERNAME": OPERATOR, "IEXEC_CORE_OPERATOR_PASSWORD": OPERATOR_PASSWORD}


class To(Enum):
    """To whom a method is open."""

    EVERYBODY = "everybody"
    WORKERS = "workers that logged in at core"
    OPERATOR = "the operator"
    OWNER = "the pool owner's services, with the chain adapter's credentials"
    UPLOADERS = "workers that showed an authorization to the result proxy"


@dataclass(frozen=True)
class Row:
    """To whom a method is open, a request, and how it is answered by the method itself."""

    to: To
    request: dict[str, Any]
    code: StatusCode = StatusCode.OK
    reason: str | None = None


AUTHORIZATION = {
    "task_id": TASK,
    "deal_id": TASK,
    "worker_wallet": WALLET,
    "enclave_challenge": "0x" + "00" * 20,
    "signature": SIGNATURE,
}
NOT_FOUND, UNAUTHENTICATED, DENIED = (
    StatusCode.NOT_FOUND,
    StatusCode.UNAUTHENTICATED,
    StatusCode.PERMISSION_DENIED,
)

CORE = "workerpool.core.v1"
ROWS = {
    "core": {
        f"{CORE}.WorkerService/GetConfig": Row(To.EVERYBODY, {}),
        f"{CORE}.WorkerService/CreateChallenge": Row(To.EVERYBODY, {"wallet_address": WALLET}),
        f"{CORE}.WorkerService/Login": Row(
            To.EVERYBODY,
            {"wallet_address": "0x" + "ef" * 20, "signature": SIGNATURE},
            UNAUTHENTICATED,
            "BAD_CHALLENGE",
        ),
        f"{CORE}.WorkerService/Connect": Row(
            To.WORKERS, {"heartbeat": {}}, StatusCode.INVALID_ARGUMENT, "HELLO_EXPECTED"
        ),
        f"{CORE}.TaskService/GetTask": Row(To.EVERYBODY, {"task_id": TASK}, NOT_FOUND, "UNKNOWN_TASK"),
        f"{CORE}.TaskService/ListTasks": Row(To.EVERYBODY, {}),
        f"{CORE}.TaskService/WatchTask": Row(To.EVERYBODY, {"task_id": TASK}, NOT_FOUND, "UNKNOWN_TASK"),
        f"{CORE}.TaskService/GetReplicate": Row(
            To.EVERYBODY, {"task_id": TASK, "wallet_address": WALLET}, NOT_FOUND, "UNKNOWN_REPLICATE"
        ),
        f"{CORE}.TaskService/CreateLogChallenge": Row(To.EVERYBODY, {"address": WALLET}),
        f"{CORE}.TaskService/GetTaskLogs": Row(
            To.EVERYBODY,
            {"task_id": TASK, "address": "0x" + "ef" * 20, "signature": SIGNATURE},
            UNAUTHENTICATED,
            "BAD_CHALLENGE",
        ),
        f"{CORE}.PoolService/GetPoolStatus": Row(To.EVERYBODY, {}),
        f"{CORE}.PoolService/ListWorkers": Row(To.EVERYBODY, {}),
        f"{CORE}.PoolService/DrainWorker": Row(
            To.OPERATOR, {"wallet_address": WALLET}, NOT_FOUND, "UNKNOWN_WORKER"
        ),
        f"{CORE}.PoolService/UndrainWorker": Row(
            To.OPERATOR, {"wallet_address": WALLET}, NOT_FOUND, "UNKNOWN_WORKER"
        ),
        f"{CORE}.PoolService/ReleaseWorker": Row(
            To.OPERATOR, {"wallet_address": WALLET}, NOT_FOUND, "UNKNOWN_WORKER"
        ),
    },
    "chain_adapter": {
        f"workerpool.chain_adapter.v1.TransactionService/{method}": row
        for method, row in {
            "Initialize": Row(To.OWNER, {"deal_id": TASK}, NOT_FOUND, "DEAL_NOT_FOUND"),
            "Finalize": Row(To.OWNER, {"task_id": TASK}, NOT_FOUND, "TASK_NOT_FOUND"),
            "Reopen": Row(To.OWNER, {"task_id": TASK}, NOT_FOUND, "TASK_NOT_FOUND"),
            "Claim": Row(To.OWNER, {"task_id": TASK}, NOT_FOUND, "TASK_NOT_FOUND"),
            "GetCommand": Row(To.OWNER, {"task_id": TASK, "kind": 1}, NOT_FOUND, "COMMAND_NOT_FOUND"),
            "WatchCommand": Row(To.OWNER, {"task_id": TASK, "kind": 1}, NOT_FOUND, "COMMAND_NOT_FOUND"),
            "ListCommands": Row(To.OWNER, {}),
            "GetWallet": Row(To.OWNER, {}),
        }.items()
    },
    "result_proxy": {
        "workerpool.result_proxy.v1.ResultService/IssueToken": Row(
            To.EVERYBODY,
            {"authorization": AUTHORIZATION, "worker_signature": SIGNATURE},
            UNAUTHENTICATED,
            "NOT_SIGNED_BY_WORKER",
        ),
        "workerpool.result_proxy.v1.ResultService/Upload": Row(
            To.UPLOADERS, {"chunk": b"1"}, StatusCode.INVALID_ARGUMENT, "UPLOAD_HEADER_EXPECTED"
        ),
        "workerpool.result_proxy.v1.ResultService/GetResult": Row(
            To.EVERYBODY, {"task_id": TASK}, NOT_FOUND, "RESULT_NOT_FOUND"
        ),
        "workerpool.result_proxy.v1.ResultService/Download": Row(
            To.EVERYBODY, {"task_id": TASK}, NOT_FOUND, "RESULT_NOT_FOUND"
        ),
    },
    "registry": {
        "workerpool.registry.v1.ConfigService/GetChain": Row(To.EVERYBODY, {}),
        "workerpool.registry.v1.PlatformService/GetStack": Row(
            To.EVERYBODY, {}, NOT_FOUND, "STACK_NOT_FOUND"
        ),
        "workerpool.registry.v1.PlatformService/WatchStack": Row(
            To.EVERYBODY, {}, NOT_FOUND, "STACK_NOT_FOUND"
        ),
    },
    "worker-1": {},
}
METHODS = [(service, method) for service, rows in ROWS.items() for method in rows]

NO_CREDENTIALS = (UNAUTHENTICATED, "UNAUTHENTICATED")
NO_PERMISSION = (DENIED, "PERMISSION_DENIED")
BAD_TOKEN = (UNAUTHENTICATED, "TOKEN_INVALID")
ROLES = (
    "nobody",
    "a worker",
    "another worker",
    "a worker whose token expired",
    "a forger",
    "a forger of an operator's token",
    "a forger without signature",
    "the operator",
    "the operator with a wrong password",
    "the pool owner's services",
    "an uploader",
    "rubbish",
)
_CORE_BEARERS = {
    "a worker whose token expired": (UNAUTHENTICATED, "TOKEN_EXPIRED"),
    "a forger": BAD_TOKEN,
    "a forger of an operator's token": BAD_TOKEN,
    "a forger without signature": BAD_TOKEN,
    "an uploader": BAD_TOKEN,
}
REFUSALS = {
    To.EVERYBODY: {},
    To.WORKERS: dict.fromkeys(ROLES, NO_CREDENTIALS) | _CORE_BEARERS | {"the operator": NO_PERMISSION},
    To.OPERATOR: dict.fromkeys(ROLES, NO_CREDENTIALS)
    | _CORE_BEARERS
    | {"a worker": NO_PERMISSION, "another worker": NO_PERMISSION},
    To.OWNER: dict.fromkeys(ROLES, NO_CREDENTIALS),
    To.UPLOADERS: dict.fromkeys(ROLES, NO_CREDENTIALS)
    | dict.fromkeys(
        (
            "a worker",
            "another worker",
            "a worker whose token expired",
            "a forger",
            "a forger of an operator's token",
            "a forger without signature",
        ),
        BAD_TOKEN,
    ),
}
"""How each role is refused, before the method sees the call."""
ADMITTED = {
    To.EVERYBODY: set(ROLES),
    To.WORKERS: {"a worker", "another worker"},
    To.OPERATOR: {"the operator"},
    To.OWNER: {"the pool owner's services"},
    To.UPLOADERS: {"an uploader"},
}


def bearer(token: str) -> grpc.aio.Metadata:
    return grpc.aio.Metadata(("authorization", f"Bearer {token}"))


def basic(username: str, password: str) -> grpc.aio.Metadata:
    given = base64.b64encode(f"{username}:{password}".encode()).decode()
    return grpc.aio.Metadata(("authorization", f"Basic {given}"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def roles(pool: Any) -> dict[str, grpc.aio.Metadata | None]:
    """Credentials of every role."""
    first, second = pool.net.worker_wallets[:2]
    tokens = await pool.login(first), await pool.login(second)
    claims = jwt.decode(tokens[0], options={"verify_signature": False})
    return {
        "nobody": None,
        "a worker": bearer(tokens[0]),
        "another worker": bearer(tokens[1]),
        "a worker whose token expired": bearer(pool.token(first.address, exp=claims["iat"] - 1)),
        "a forger": bearer(pool.token(first.address, key=b"another key of 32 bytes, or more")),
        "a forger of an operator's token": bearer(
            pool.token(first.address, key=b"another key of 32 bytes, or more", roles=("operator", "admin"))
        ),
        "a forger without signature": bearer(jwt.encode(claims, None, "none")),
        "the operator": basic(OPERATOR, OPERATOR_PASSWORD),
        "the operator with a wrong password": basic(OPERATOR, OPERATOR_PASSWORD + "!"),
        "the pool owner's services": basic(*pool.adapter_credentials()),
        "an uploader": bearer(await uploader_token(pool, first)),
        "rubbish": grpc.aio.Metadata(("authorization", "Negotiate rubbish")),
    }


async def uploader_token(pool: Any, wallet: Wallet) -> str:
    """Get a token of the result proxy, for a real task and with the pool owner's authorization."""
    (task,) = await pool.buy()
    known = await initialized(pool, task)
    authorization = sign_authorization(
        pool.net.accounts["poolOwner"],
        worker=wallet.address,
        task_id=bytes32(task),
        deal_id=bytes32(known.deal_id),
        task_index=0,
    )
    request = result_service_pb2.IssueTokenRequest(
        authorization={
            "task_id": task,
            "deal_id": known.deal_id,
            "worker_wallet": wallet.address,
            "enclave_challenge": authorization.enclave_challenge,
            "signature": to_hex(authorization.signature),
        },
        worker_signature=to_hex(wallet.sign_message_hash(authorization.hash)),
    )
    stub: Any = result_service_pb2_grpc.ResultServiceStub(pool.channel("result_proxy"))
    return str((await stub.IssueToken(request)).token)


async def initialized(pool: Any, task: str) -> Any:
    """Wait until the chain adapter has initialized a task."""
    async with asyncio.timeout(20):
        while True:
            try:
                found = await pool.task(task)
            except grpc.aio.AioRpcError as error:
                if error.code() is not NOT_FOUND:
                    raise
            else:
                if found.initialization_block:
                    return found
            await asyncio.sleep(0.02)


async def call(
    channel: grpc.aio.Channel, method: str, request: dict[str, Any], metadata: Any
) -> tuple[StatusCode, str | None]:
    """Call a method and return how it was answered."""
    for _ in range(20):
        answer = await call_once(channel, method, request, metadata)
        # gRPC's client says this by itself when its first message meets a stream that was refused already.
        if answer != (StatusCode.INTERNAL, None):
            return answer
    return answer


async def call_once(
    channel: grpc.aio.Channel, method: str, request: dict[str, Any], metadata: Any
) -> tuple[StatusCode, str | None]:
    """Call a method of any arity with one message, read at most one, and return how it was answered."""
    service, name = method.rsplit("/", 1)
    found = PROTOCOL.FindServiceByName(service).methods_by_name[name]
    ask, answer = map(message_factory.GetMessageClass, (found.input_type, found.output_type))
    arity = (
        f"{'stream' if found.client_streaming else 'unary'}_{'stream' if found.server_streaming else 'unary'}"
    )
    rpc = getattr(channel, arity)(
        f"/{method}", request_serializer=ask.SerializeToString, response_deserializer=answer.FromString
    )
    first = iter([ask(**request)]) if found.client_streaming else ask(**request)
    started = rpc(first, metadata=metadata, timeout=20)
    try:
        if found.server_streaming:
            await anext(aiter(started), None)
        else:
            await started
    except grpc.aio.AioRpcError as error:
        return error.code(), error_reason(error)
    finally:
        started.cancel()
    return StatusCode.OK, None


@pytest.mark.parametrize(("service", "method"), METHODS, ids=[method for _, method in METHODS])
async def test_each_role_is_admitted_or_refused(pool, roles, service: str, method: str) -> None:
    row = ROWS[service][method]
    channel = pool.channel(service)
    answers = {role: await call(channel, method, row.request, metadata) for role, metadata in roles.items()}
    assert answers == REFUSALS[row.to] | dict.fromkeys(ADMITTED[row.to], (row.code, row.reason))


async def test_what_was_refused_changed_nothing(pool, roles) -> None:
    """Orders about a worker that exists, by everybody who may not give them."""
    wallet = pool.net.worker_wallets[0]
    stream = await pool.connect(wallet)
    channel = pool.channel()
    for order in ("DrainWorker", "UndrainWorker", "ReleaseWorker"):
        for role, metadata in roles.items():
            if role != "the operator":
                answer = await call(
                    channel, f"{CORE}.PoolService/{order}", {"wallet_address": wallet.address}, metadata
                )
                assert answer == REFUSALS[To.OPERATOR][role], role
    (worker,) = (await pool.operators.ListWorkers(pool_service_pb2.ListWorkersRequest())).workers
    assert not worker.HasField("drained_until")
    assert stream.all("drain") == []
    await stream.close()


async def test_the_operator_drains_and_undrains(pool, roles) -> None:
    wallet = pool.net.worker_wallets[1]
    stream = await pool.connect(wallet)
    request = pool_service_pb2.DrainWorkerRequest(wallet_address=wallet.address)
    drained = (await pool.operators.DrainWorker(request, metadata=roles["the operator"])).worker
    assert drained.HasField("drained_until")
    await stream.first("drain")
    undrain = pool_service_pb2.UndrainWorkerRequest(wallet_address=wallet.address)
    undrained = (await pool.operators.UndrainWorker(undrain, metadata=roles["the operator"])).worker
    assert not undrained.HasField("drained_until")
    await stream.close()


# --- the list of methods --------------------------------------------------------------------------


async def served(channel: grpc.aio.Channel) -> set[str]:
    """Return every method that a process serves, by its own word, gRPC's standard services left out."""
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)

    async def ask(**question: str) -> Any:
        stream = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(**question)]))
        (answer,) = [message async for message in stream]
        return answer

    listed = (await ask(list_services="")).list_services_response.service
    methods = set()
    for name in sorted({each.name for each in listed} - STANDARD):
        answer = await ask(file_containing_symbol=name)
        for blob in answer.file_descriptor_response.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(blob)
            methods |= {
                f"{name}/{method.name}"
                for service in file.service
                if f"{file.package}.{service.name}" == name
                for method in service.method
            }
    assert {name for name in STANDARD} <= {each.name for each in listed}
    return methods


STANDARD = {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker(pool) -> None:
    """A worker process whose scheduler is away: its side ports are open all the same."""
    service = pool.net.services["worker-1"]
    service.start()
    async with asyncio.timeout(20), httpx.AsyncClient(trust_env=False) as http:
        while True:
            try:
                await http.get(f"{service.http}/version")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    async with asyncio.timeout(20):
        await pool.channel("worker-1").channel_ready()


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("service", ROWS)
async def test_every_method_that_is_served_has_a_row(pool, service: str) -> None:
    assert await served(pool.channel(service)) == set(ROWS[service])


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("service", ROWS)
async def test_health_is_open_to_everybody(pool, roles, service: str) -> None:
    stub: Any = health_pb2_grpc.HealthStub(pool.channel(service))
    for role, metadata in roles.items():
        answer = await stub.Check(health_pb2.HealthCheckRequest(), metadata=metadata)
        assert answer.status in (1, 2), role


# --- HTTP -----------------------------------------------------------------------------------------

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
    ("chain_adapter", STATUS, 401),
]


@pytest.mark.usefixtures("worker")
async def test_documented_http_endpoints(pool) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        found = {}
        for service, path, _ in OPEN:
            answer = await http.get(pool.net.services[service].http + path)
            found[service, path] = answer.status_code
            # Whatever is refused says why, for programs and for people.
            if answer.status_code in (400, 401, 403, 409) or "UNKNOWN" in answer.text:
                assert set(answer.json()) >= {"error", "message"}, path
    assert found == {(service, path): status for service, path, status in OPEN}


async def test_the_adapters_http_side_wants_its_credentials(pool) -> None:
    username, password = pool.adapter_credentials()
    expected = {
        None: (401, 401, 401),
        (username, password + "!"): (401, 401, 401),
        (OPERATOR, OPERATOR_PASSWORD): (401, 401, 401),
        (username, password): (400, 404, 400),
    }
    base = pool.net.services["chain_adapter"].http
    async with httpx.AsyncClient(trust_env=False) as http:
        for credentials, statuses in expected.items():
            answers = (
                await http.post(base + DEAL, auth=credentials),
                await http.get(base + STATUS, auth=credentials),
                await http.post(
                    f"{base}/v1/tasks/finalize/{TASK}", auth=credentials, json={"resultLink": ""}
                ),
            )
            assert tuple(answer.status_code for answer in answers) == statuses, credentials

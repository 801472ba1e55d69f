"""Access control: every method of every service, called by every role.

The methods come from the reflection of the running services; a method without a row in the access table fails.
"""

import base64
from itertools import count
from typing import Any

import grpc
import jwt
import pytest
import pytest_asyncio
from contract.access_table import ADMITTED, CORE, OPERATOR, OPERATOR_PASSWORD, REFUSALS, ROWS, To
from contract.method_calls import call
from contract.pool import Pool
from contract.uploaders import uploader_token
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from workerpool_devnet.devnet import Devnet
from workerpool_protocol.core.v1 import pool_service_pb2

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

METHODS = [(service, method) for service, rows in ROWS.items() for method in rows]


def core_environment(net: Devnet) -> dict[str, str]:
    return {"IEXEC_CORE_OPERATOR_USERNAME": OPERATOR, "IEXEC_CORE_OPERATOR_PASSWORD": OPERATOR_PASSWORD}


def bearer(token: str) -> grpc.aio.Metadata:
    return grpc.aio.Metadata(("authorization", f"Bearer {token}"))


def basic(username: str, password: str) -> grpc.aio.Metadata:
    given = base64.b64encode(f"{username}:{password}".encode()).decode()
    return grpc.aio.Metadata(("authorization", f"Basic {given}"))


ADDRESSES = (f"203.0.{number // 256}.{number % 256}" for number in count())


def from_another_address(metadata: grpc.aio.Metadata | None) -> grpc.aio.Metadata:
    """Return the credentials as a reverse proxy of this host passes them on: the wrong passwords of one address are
    limited in number."""
    return grpc.aio.Metadata(*(metadata or ()), ("x-forwarded-for", next(ADDRESSES)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def roles(pool: Pool) -> dict[str, grpc.aio.Metadata | None]:
    """Return the credentials of every role."""
    first, second = pool.net.worker_wallets[:2]
    tokens = await pool.login(first), await pool.login(second)
    claims = jwt.decode(tokens[0], options={"verify_signature": False})
    return {
        "no credentials": None,
        "a worker": bearer(tokens[0]),
        "another worker": bearer(tokens[1]),
        "a worker whose token expired": bearer(pool.token(first.address, exp=claims["iat"] - 1)),
        "a forger": bearer(pool.token(first.address, key=b"another key of 32 bytes, or more")),
        "a forger of an operator's token": bearer(
            pool.token(first.address, key=b"another key of 32 bytes, or more", roles=("operator", "admin"))
        ),
        "a forger without signature": bearer(jwt.encode(claims, "", "none")),
        "the operator": basic(OPERATOR, OPERATOR_PASSWORD),
        "the operator with a wrong password": basic(OPERATOR, OPERATOR_PASSWORD + "!"),
        "the pool owner's services": basic(*pool.adapter_credentials()),
        "an uploader": bearer(await uploader_token(pool, first)),
        "rubbish": grpc.aio.Metadata(("authorization", "Negotiate rubbish")),
    }


@pytest.mark.parametrize(("service", "method"), METHODS, ids=[method for _, method in METHODS])
async def test_each_role_is_admitted_or_refused(pool: Pool, roles: Any, service: str, method: str) -> None:
    row = ROWS[service][method]
    channel = pool.channel(service)
    answers = {
        role: await call(channel, method, row.request, from_another_address(metadata))
        for role, metadata in roles.items()
    }
    assert answers == REFUSALS[row.to] | dict.fromkeys(ADMITTED[row.to], (row.code, row.reason))


async def test_a_refused_order_has_no_effect(pool: Pool, roles: Any) -> None:
    """Every role but the operator sends valid orders about an existing worker."""
    wallet = pool.net.worker_wallets[0]
    stream = await pool.connect(wallet)
    channel = pool.channel()
    for order in ("DrainWorker", "UndrainWorker", "ReleaseWorker"):
        for role, metadata in roles.items():
            if role != "the operator":
                answer = await call(
                    channel,
                    f"{CORE}.PoolService/{order}",
                    {"wallet_address": wallet.address},
                    from_another_address(metadata),
                )
                assert answer == REFUSALS[To.OPERATOR][role], role
    (worker,) = (await pool.operators.ListWorkers(pool_service_pb2.ListWorkersRequest())).workers
    assert not worker.HasField("drained_until")
    assert stream.all("drain") == []
    await stream.close()


async def test_the_operator_drains_and_undrains_a_worker(pool: Pool, roles: Any) -> None:
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
    """Return every method in the reflection of a process, without the standard services of gRPC."""
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


@pytest.mark.usefixtures("lone_worker")
@pytest.mark.parametrize("service", ROWS)
async def test_every_served_method_has_a_row(pool: Pool, service: str) -> None:
    assert await served(pool.channel(service)) == set(ROWS[service])


@pytest.mark.usefixtures("lone_worker")
@pytest.mark.parametrize("service", ROWS)
async def test_health_is_open_to_every_role(pool: Pool, roles: Any, service: str) -> None:
    stub: Any = health_pb2_grpc.HealthStub(pool.channel(service))
    for role, metadata in roles.items():
        answer = await stub.Check(health_pb2.HealthCheckRequest(), metadata=metadata)
        assert answer.status in (1, 2), role
        listed = await stub.List(health_pb2.HealthListRequest(), metadata=metadata)
        assert {"", "liveness"} <= set(listed.statuses), role

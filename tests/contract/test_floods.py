"""Floods of anonymous callers leave no large process behind (case rpc-rapid-reset)."""

import asyncio
import time
from pathlib import Path

import pytest
from contract.access_table import ROWS
from contract.http2_floods import flood
from contract.pool import Pool
from patience import PATIENCE_S
from workerpool_protocol.core.v1 import worker_service_pb2 as pb

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

SERVICES = ("registry", "chain_adapter", "result_proxy", "core")
CONNECTIONS, SECONDS = 8, 4.0
KEPT_MIB = 64


def resident_mib(pool: Pool, service: str) -> float:
    process = pool.net.services[service].process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def growth_mib(pool: Pool, before: dict[str, float]) -> dict[str, float]:
    return {service: resident_mib(pool, service) - before[service] for service in SERVICES}


@pytest.mark.parametrize("reset", [True, False], ids=["rapid-reset", "no-request"])
async def test_rpc_rapid_reset_memory_is_returned(pool: Pool, reset: bool) -> None:
    before = {service: resident_mib(pool, service) for service in SERVICES}
    floods = [
        flood(pool.net.services[service].grpc, f"/{method}", SECONDS, reset=reset)
        for service in SERVICES
        for method in list(ROWS[service])[:1]
        for _ in range(CONNECTIONS)
    ]
    assert sum(await asyncio.gather(*floods)) > 1_000
    until = time.monotonic() + PATIENCE_S
    while max((grown := growth_mib(pool, before)).values()) > KEPT_MIB:
        assert time.monotonic() < until, f"MiB that the services keep: {grown}"
        await asyncio.sleep(0.2)
    found = await pool.workers.GetConfig(pb.GetConfigRequest())
    assert found.configuration.workerpool == pool.net.workerpool

"""The real grpcurl lists, describes, checks and reads every service."""

import asyncio
import base64
import json
from pathlib import Path

import pytest
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.packages import repository_root

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

READS = {
    "registry": ("workerpool.registry.v1.ConfigService", "GetChain", {}),
    "chain_adapter": ("workerpool.chain_adapter.v1.TransactionService", "ListCommands", {}),
    "result_proxy": ("workerpool.result_proxy.v1.ResultService", "GetResult", {"task_id": "0x" + "00" * 32}),
    "core": ("workerpool.core.v1.PoolService", "GetPoolStatus", {}),
    "worker-1": ("grpc.health.v1.Health", "Check", {}),
}


@pytest.fixture(scope="session")
def grpcurl() -> Path:
    """Return the binary that `make go-tools` builds."""
    binary = repository_root() / ".cache" / "bin" / "grpcurl"
    if not binary.exists():
        pytest.fail("grpcurl is not built: run `make go-tools` (it needs Go)")
    return binary


def _credentials(net: Devnet) -> list[str]:
    environment = net.services["chain_adapter"].spec.environment
    user = environment["IEXEC_BLOCKCHAIN_ADAPTER_API_USERNAME"]
    password = Path(environment["IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD_FILE"]).read_text()
    return ["-H", "authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()]


async def run(binary: Path, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        binary, "-plaintext", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


@pytest.mark.parametrize("name", READS)
async def test_a_service_lists_describes_and_reports_health(net: Devnet, grpcurl: Path, name: str) -> None:
    target = net.services[name].grpc
    service, method, request = READS[name]

    code, listed = await run(grpcurl, target, "list")
    assert code == 0, listed
    assert {"grpc.health.v1.Health", service} <= set(listed.split())

    code, described = await run(grpcurl, target, "describe", service)
    assert code == 0
    assert f"rpc {method}" in described

    code, health = await run(grpcurl, target, "grpc.health.v1.Health/Check")
    assert code == 0, health
    assert json.loads(health)["status"] == "SERVING"

    credentials = _credentials(net) if name == "chain_adapter" else []
    code, answer = await run(grpcurl, *credentials, "-d", json.dumps(request), target, f"{service}/{method}")
    if name == "result_proxy":
        assert "NotFound" in answer
    else:
        assert code == 0, answer


async def test_the_adapter_refuses_calls_without_credentials(net: Devnet, grpcurl: Path) -> None:
    code, answer = await run(
        grpcurl,
        net.services["chain_adapter"].grpc,
        "workerpool.chain_adapter.v1.TransactionService/ListCommands",
    )
    assert code != 0
    assert "Unauthenticated" in answer

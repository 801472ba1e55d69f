"""No secret of the adapter stands in its log, its metrics, its answers or its processes."""

from pathlib import Path
from typing import Any

import grpc
import http_calls
import pytest
from canaries.planted import Canaries, basic_header, keystore_secrets
from canaries.processes import process_texts
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.grpc.client import open_channel
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2_grpc as pb_grpc

API_PASSWORD = "api password"
"""The password with which the fixtures call the adapter."""
WALLET_PASSWORD = "canary of the wallet's password"
WRONG_PASSWORD = "canary of a wrong password"
NODE_KEY = "canary-of-the-node-provider"
DATABASE_PASSWORD = "canary-of-the-database"
UNKNOWN = "0x" + "ab" * 32


@pytest.fixture
def keystore(chain: PocoChain, tmp_path: Path) -> Path:
    path = tmp_path / "canary.json"
    chain.account("poolOwner").write_keystore(path, WALLET_PASSWORD, light=True)
    return path


@pytest.fixture
def planted(keystore: Path) -> Canaries:
    return Canaries(
        {
            "the password of the API": API_PASSWORD,
            "the header of its clients": basic_header("admin", API_PASSWORD),
            "a wrong password of a client": WRONG_PASSWORD,
            "the key of the node's provider": NODE_KEY,
            "the password of the database": DATABASE_PASSWORD,
            **keystore_secrets("the wallet", keystore, WALLET_PASSWORD),
        }
    )


@pytest.fixture
def secrets(chain: PocoChain, keystore: Path) -> dict[str, str]:
    """Return variables with secrets in them."""
    return {
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS": f"{chain.url}/?apikey={NODE_KEY}",
        "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PATH": str(keystore),
        "IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PASSWORD": WALLET_PASSWORD,
    }


async def answers(adapter: Any) -> dict[str, str]:
    """Return what an adapter answers to clients with the right and a wrong password, over gRPC and HTTP."""
    base = f"http://127.0.0.1:{adapter.port - 10_000}"
    found: dict[str, str] = {}
    for password in (API_PASSWORD, WRONG_PASSWORD):
        for path in (
            "/metrics",
            "/actuator/health",
            "/actuator/prometheus",
            f"/v1/tasks/finalize/{UNKNOWN}/status",
        ):
            answer = await http_calls.get(base + path, credentials=("admin", password))
            found[f"{path} with {password}"] = f"{answer.text} {dict(answer.headers)}"
        channel = open_channel(f"127.0.0.1:{adapter.port}", basic=("admin", password), own_subchannel=True)
        stub: Any = pb_grpc.TransactionServiceStub(channel)
        for call in (
            stub.Finalize(pb.FinalizeRequest(task_id=UNKNOWN)),
            stub.GetWallet(pb.GetWalletRequest()),
        ):
            try:
                found[f"a call with {password}"] = str(await call)
            except grpc.aio.AioRpcError as error:
                found[f"an error with {password}"] = f"{error.details()} {error.trailing_metadata()}"
        await channel.close(None)
    return found


async def test_a_running_adapter_shows_none(launch: Any, secrets: dict[str, str], planted: Canaries) -> None:
    adapter = await (await launch(**secrets)).ready()
    seen = await answers(adapter) | process_texts(adapter.process.pid)
    assert len(seen) > 8
    await adapter.stop()
    log = adapter.log.read_text()
    assert "adapter.started" in log
    found = [sentence for place, text in seen.items() for sentence in planted.found_in(place, text)]
    assert found + planted.found_in("the log", log) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PASSWORD": WRONG_PASSWORD},
        {"IEXEC_HUB_ADDRESS": NODE_KEY},
        {"MONGO_URI": f"mongodb://admin:{DATABASE_PASSWORD}@127.0.0.1:no-port/"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_an_adapter_that_cannot_start_shows_none(
    launch: Any, secrets: dict[str, str], planted: Canaries, wrong: dict[str, str]
) -> None:
    code, log = await (await launch(**secrets | wrong)).ended()
    assert code != 0
    assert "Traceback" not in log
    # A hub's address is no secret: what an operator wrote there is shown, so that they find their mistake.
    shown = {"the key of the node's provider"} if "IEXEC_HUB_ADDRESS" in wrong else set()
    expected = Canaries({name: value for name, value in planted.secrets.items() if name not in shown})
    assert expected.found_in("the log", log) == []

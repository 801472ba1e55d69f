"""Stuck and failed tasks planted on a real pool, one after the other: each tells its reason in one call.

The reason is the same over gRPC, over HTTP, and for an operator who runs `poolctl why TASK` or `poolctl why WORKER`.

No worker is there at first, then a simulated one that starts what it gets and executes nothing, then a real one. A task
stays as it is while a later one is planted, so that reasons of several tasks hold at once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import http_calls
import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration
from patience import PATIENCE_S
from relays import Relay
from workerpool_devnet.chain.transactions import send
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.deployment import CATEGORIES
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import free_port
from workerpool_kit.grpc.client import open_channel
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import TaskId
from workerpool_protocol.core.v1 import pool_service_pb2 as pool_pb
from workerpool_protocol.core.v1 import reason_pb2
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1 import task_service_pb2 as task_pb
from workerpool_protocol.core.v1 import worker_service_pb2 as worker_pb
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceStub
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceStub
from workerpool_protocol.core.v1.worker_service_pb2_grpc import WorkerServiceStub

from e2e.operator_command import Poolctl
from e2e.shell_image import ensure_shell_image
from e2e.simulated_worker import SimulatedWorker, simulated_worker

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

SERVICES = ("registry", "chain_adapter", "result_proxy", "core")
OPERATOR = ("operator", "correct horse")
SLOTS = 6
DIGEST = b"\x01" * 32
SCONE, GPU = ((3).to_bytes(32, "big"), (0x100).to_bytes(32, "big"))
CALL_S = 30.0


@dataclass
class Planted:
    """A pool on which a test plants tasks. `tasks` are those planted so far, by what they show."""

    net: Devnet
    node: Relay
    app: Any
    poolctl: Poolctl
    worker: SimulatedWorker | None = None
    tasks: dict[str, TaskId] = field(default_factory=dict)

    @property
    def simulated(self) -> SimulatedWorker:
        assert self.worker is not None
        return self.worker

    async def buy(
        self,
        *,
        tag: bytes = bytes(32),
        trust: int = 1,
        category: str = "XS",
        params: DealParams | None = None,
    ) -> TaskId:
        """Buy a free task."""
        net = self.net
        purchase = Purchase(
            requester=net.accounts["requester"],
            app=self.app,
            app_owner=net.accounts["requester"],
            workerpool=net.workerpool,
            pool_owner=net.accounts["poolOwner"],
            params=params or DealParams(args="/bin/sh -c 'exit 3'"),
            trust=trust,
            category=list(CATEGORIES).index(category),
            tag=tag,
        )
        (deal,) = await asyncio.to_thread(net.market.buy, purchase)
        return deal.task_ids[0]

    async def shows(self, task_id: TaskId, code: str, evidence: str = "") -> dict[str, str]:
        """Wait until a task has a reason with this code, the same over gRPC, HTTP and by poolctl; return its evidence.

        A failed call tells that a service is down before its health, which names the variable, is looked at again:
        `evidence` is a key to wait for.
        """
        http: dict[str, Any] = {}
        command: tuple[Any, ...] = ()
        found = task_pb.ExplainTaskResponse()
        try:
            async with asyncio.timeout(PATIENCE_S), open_channel(self.net.services["core"].grpc) as channel:
                stub: Any = TaskServiceStub(channel)
                while True:
                    with contextlib.suppress(Exception):
                        found = await stub.ExplainTask(
                            task_pb.ExplainTaskRequest(task_id=task_id), timeout=CALL_S
                        )
                        answer = await http_calls.get(f"{self.net.services['core'].http}/tasks/{task_id}")
                        http = answer.json().get("reason", {})
                    name = reason_pb2.ReasonCode.Name(found.reason.code).removeprefix("REASON_CODE_")
                    told = (name, found.reason.sentence, found.reason.next_step)
                    shown = {each.key: each.value for each in found.reason.evidence}
                    # The task may move between the two answers.
                    same = told == tuple(http.get(key) for key in ("code", "sentence", "next"))
                    if name == code and same and (not evidence or evidence in shown):
                        command = await self.why(task_id)
                        if command == (*told, shown):
                            return shown
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(
                f"{code} is not told; gRPC: {found}; HTTP: {http}; poolctl: {command}"
            ) from None

    async def why(self, name: str) -> tuple[str, str, str, dict[str, str]]:
        """Return code, sentence, next step and evidence that `poolctl why` shows."""
        shown = await self.poolctl.json("why", name, IEXEC_CORE_URL=self.net.services["core"].http)
        return shown["code"], shown["sentence"], shown["next_step"], shown["evidence"]

    async def worker_shows(self, wallet: str, code: str) -> pool_pb.ExplainWorkerResponse:
        """Wait until a worker has a reason with this code, the same over gRPC and by poolctl."""
        number = reason_pb2.ReasonCode.Value(f"REASON_CODE_{code}")
        request = pool_pb.ExplainWorkerRequest(wallet_address=wallet)
        async with asyncio.timeout(PATIENCE_S), open_channel(self.net.services["core"].grpc) as channel:
            stub: Any = PoolServiceStub(channel)
            while True:
                found: pool_pb.ExplainWorkerResponse = await stub.ExplainWorker(request, timeout=CALL_S)
                reason = found.reason
                if reason.code == number:
                    shown = {each.key: each.value for each in reason.evidence}
                    if await self.why(wallet) == (code, reason.sentence, reason.next_step, shown):
                        return found
                await asyncio.sleep(0.2)

    async def order(self, method: str, request: Any) -> Any:
        """Give an instruction as the operator."""
        channel = open_channel(self.net.services["core"].grpc, basic=OPERATOR)
        try:
            return await getattr(PoolServiceStub(channel), method)(request, timeout=CALL_S)
        finally:
            await channel.close(None)

    async def drain(self, *, end: bool = False) -> None:
        wallet = self.simulated.wallet.address
        if end:
            await self.order("UndrainWorker", pool_pb.UndrainWorkerRequest(wallet_address=wallet))
        else:
            await self.order("DrainWorker", pool_pb.DrainWorkerRequest(wallet_address=wallet))

    async def transact(self, wallet: Wallet, data: bytes) -> str:
        net = self.net
        mined = await asyncio.to_thread(send, net.chain.rpc, wallet, net.contracts.hub, data, gas=1_000_000)
        return str(mined["transactionHash"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def planted(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Planted]:
    node_port = free_port()
    environment = {
        "core": {
            "IEXEC_BLOCKCHAIN_NODE_ADDRESS": f"http://127.0.0.1:{node_port}",
            "CHAIN_OUTOFSERVICETHRESHOLD": "PT5S",
            "IEXEC_CORE_OPERATOR_USERNAME": OPERATOR[0],
            "IEXEC_CORE_OPERATOR_PASSWORD": OPERATOR[1],
        }
    }
    net = Devnet(DevnetOptions(workers=2, services=SERVICES, environment=environment))
    async with Relay(("127.0.0.1", node_port), ("127.0.0.1", net.chain.port)).running() as node, net:
        app = await net.create_app("planted", ensure_shell_image())
        yield Planted(net, node, app, Poolctl(tmp_path_factory.mktemp("operator")))


# --- no worker ----------------------------------------------------------------------------------


async def test_no_worker_is_connected(planted: Planted) -> None:
    task = planted.tasks["first"] = await planted.buy()
    assert (await planted.shows(task, "NO_WORKER_CONNECTED"))["connected"] == "0"


async def test_a_worker_with_the_wrong_wallet_is_refused(planted: Planted) -> None:
    wallet = planted.net.account("worker-1").address
    async with open_channel(planted.net.services["core"].grpc) as channel:
        stub: Any = WorkerServiceStub(channel)
        await stub.CreateChallenge(worker_pb.CreateChallengeRequest(wallet_address=wallet), timeout=CALL_S)
        request = worker_pb.LoginRequest(wallet_address=wallet, signature="0x" + "11" * 64 + "1b")
        with pytest.raises(grpc.aio.AioRpcError, match="signature"):
            await stub.Login(request, timeout=CALL_S)
    told = await planted.shows(planted.tasks["first"], "WORKERS_REFUSED")
    assert (told["last_refused_wallet"], told["last_refusal"]) == (wallet, "BAD_SIGNATURE")
    assert not (await planted.worker_shows(wallet, "WORKER_REFUSED")).registered
    refusals = (await planted.order("ListRefusals", pool_pb.ListRefusalsRequest())).refusals
    assert [each.wallet_address for each in refusals] == [wallet]


async def test_the_node_is_down(planted: Planted) -> None:
    await planted.node.cut()
    try:
        await planted.shows(planted.tasks["first"], "NODE_DOWN")
    finally:
        await planted.node.start()
    await planted.shows(planted.tasks["first"], "WORKERS_REFUSED")


async def test_the_adapter_is_down(planted: Planted) -> None:
    adapter = planted.net.services["chain_adapter"]
    adapter.stop_for_good()
    try:
        task = planted.tasks["second"] = await planted.buy()
        shown = await planted.shows(task, "ADAPTER_DOWN", "variable")
        assert "IEXEC_CORE_CHAIN_ADAPTER" in shown["variable"]
    finally:
        adapter.start()
    await planted.shows(task, "WORKERS_REFUSED")


async def test_the_wallet_of_the_adapter_is_empty(planted: Planted) -> None:
    owner, rpc = planted.net.accounts["poolOwner"].address, planted.net.chain.rpc
    balance = await asyncio.to_thread(rpc.call, "eth_getBalance", owner, "latest")
    await asyncio.to_thread(rpc.call, "anvil_setBalance", owner, "0x0")
    try:
        task = planted.tasks["third"] = await planted.buy()
        assert (await planted.shows(task, "ADAPTER_WALLET_PARKED"))["wallet"] == owner
    finally:
        await asyncio.to_thread(rpc.call, "anvil_setBalance", owner, balance)
    await planted.shows(task, "WORKERS_REFUSED")


async def test_no_sms_serves_the_enclave(planted: Planted) -> None:
    task = await planted.buy(tag=SCONE)
    assert (await planted.shows(task, "NO_SMS"))["cause"] == "UNKNOWN_SMS"


# --- a simulated worker -------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def simulated(planted: Planted) -> AsyncIterator[SimulatedWorker]:
    """Connect a worker that starts each task and computes without end."""
    async with simulated_worker(planted.net, "worker-2", slots=SLOTS) as worker:
        planted.worker = worker
        starting = asyncio.create_task(worker.start_all())
        yield worker
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)


async def test_all_workers_are_drained(planted: Planted, simulated: SimulatedWorker) -> None:
    for name in ("first", "second", "third"):
        await planted.shows(planted.tasks[name], "COMPUTING")
    await planted.drain()
    task = await planted.buy()
    assert (await planted.shows(task, "ALL_WORKERS_DRAINED"))["drained"] == "1"
    await planted.worker_shows(simulated.wallet.address, "WORKER_DRAINED")
    await planted.drain(end=True)
    await planted.shows(task, "COMPUTING")


async def test_all_workers_are_in_quarantine(planted: Planted, simulated: SimulatedWorker) -> None:
    wallet = simulated.wallet.address
    request = pool_pb.QuarantineWorkerRequest(wallet_address=wallet, duration=Duration(seconds=3_600))
    await planted.order("QuarantineWorker", request)
    task = await planted.buy()
    assert (await planted.shows(task, "ALL_WORKERS_QUARANTINED"))["wallet"] == wallet
    assert (await planted.worker_shows(wallet, "WORKER_QUARANTINED")).reason.HasField("until")
    await planted.order("ReleaseWorker", pool_pb.ReleaseWorkerRequest(wallet_address=wallet))
    await planted.shows(task, "COMPUTING")


async def test_all_workers_are_parked(planted: Planted, simulated: SimulatedWorker) -> None:
    await simulated.park("its disk is full")
    task = await planted.buy()
    assert (await planted.shows(task, "ALL_WORKERS_PARKED"))["parked"] == "1"
    told = await planted.worker_shows(simulated.wallet.address, "WORKER_PARKED")
    assert "its disk is full" in told.reason.sentence
    await simulated.park("")
    await planted.shows(task, "COMPUTING")


async def test_all_slots_are_in_use(planted: Planted, simulated: SimulatedWorker) -> None:
    task = await planted.buy()
    assert (await planted.shows(task, "NO_FREE_SLOT"))["busy"] == "1"
    await planted.worker_shows(simulated.wallet.address, "WORKER_BUSY")


@pytest.mark.parametrize(
    ("terms", "code", "key", "value"),
    [
        ({"trust": 64}, "TRUST_TOO_HIGH", "workers_fitting", "1"),
        ({"tag": GPU}, "NO_WORKER_WITH_GPU", "tag", "0x" + GPU.hex()),
    ],
)
async def test_the_pool_cannot_serve_the_order(
    planted: Planted, simulated: SimulatedWorker, terms: dict[str, Any], code: str, key: str, value: str
) -> None:
    assert (await planted.shows(await planted.buy(**terms), code))[key] == value


async def test_a_task_waits_for_reveal_and_upload(planted: Planted, simulated: SimulatedWorker) -> None:
    task, wallet = planted.tasks["first"], simulated.wallet.address
    await simulated.contribute(task, DIGEST, started=True)
    told = await planted.shows(task, "WAITING_FOR_REVEAL")
    assert (told["revealed"], told["workers"]) == ("0", wallet)
    receipt = await planted.transact(simulated.wallet, calls.reveal(task, DIGEST).data)
    await simulated.report(
        task, statuses.REPLICATE_STATUS_REVEALING, statuses.REPLICATE_STATUS_REVEALED, receipt=receipt
    )
    assert (await planted.shows(task, "WAITING_FOR_UPLOAD"))["uploader"] == wallet


async def test_the_result_proxy_is_down(planted: Planted, simulated: SimulatedWorker) -> None:
    proxy = planted.net.services["result_proxy"]
    proxy.stop_for_good()
    try:
        await planted.shows(planted.tasks["first"], "RESULT_PROXY_DOWN")
    finally:
        proxy.start()
    await planted.shows(planted.tasks["first"], "WAITING_FOR_UPLOAD")


async def test_uploads_fail(planted: Planted, simulated: SimulatedWorker) -> None:
    task = planted.tasks["first"]
    await simulated.report(
        task, statuses.REPLICATE_STATUS_RESULT_UPLOADING, statuses.REPLICATE_STATUS_RESULT_UPLOAD_FAILED
    )
    assert (await planted.shows(task, "UPLOAD_FAILING"))["failed_uploads"] == "1"


async def test_the_contribution_deadline_passes(planted: Planted, simulated: SimulatedWorker) -> None:
    await planted.drain()
    task = await planted.buy(category="DEV-2S")
    await planted.shows(task, "ALL_WORKERS_DRAINED")
    assert (await planted.shows(task, "CONTRIBUTION_DEADLINE_PASSED"))["cause"] == "CONTRIBUTION_TIMEOUT"


# --- a real worker ------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def real(planted: Planted, simulated: SimulatedWorker) -> AsyncIterator[str]:
    """Start the process of a worker, whose wallet is returned; the simulated one stays drained."""
    service = planted.net.services["worker-1"]
    service.start()
    try:
        await service.wait_healthy(timeout=PATIENCE_S)
        yield planted.net.account("worker-1").address
    finally:
        service.stop_for_good()


async def test_an_app_fails(planted: Planted, real: str) -> None:
    told = await planted.shows(await planted.buy(), "APP_FAILED")
    assert told.items() >= {"cause": "APP_COMPUTE_FAILED", "exit_code": "3", "workers": real}.items()


async def test_an_encrypted_result_of_a_standard_task_is_refused(planted: Planted, real: str) -> None:
    params = replace(DealParams(args="/bin/sh -c 'exit 0'"), result_encryption=True)
    told = await planted.shows(await planted.buy(params=params), "ENCRYPTION_WITHOUT_ENCLAVE")
    assert told["cause"] == "DEAL_PARAMS_INVALID"

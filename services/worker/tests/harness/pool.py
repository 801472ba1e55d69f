"""A workerpool on the real contracts, with initialized tasks."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health_pb2_grpc
from workerpool_devnet.chain.transactions import send
from workerpool_devnet.market.trading import Deal, Purchase
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization, audience_of, sign_authorization
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import DealId, TaskId, to_hex
from workerpool_poco.protocol.model import Contribution
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.registry.v1 import config_service_pb2, config_service_pb2_grpc
from workerpool_protocol.result_proxy.v1 import result_service_pb2_grpc
from workerpool_worker.adapters.core.messages import authorization_message

from services.worker.tests.doubles.core_peer import CorePeer
from services.worker.tests.doubles.service_peers import ConfigPeer, ResultPeer, serving

HELLO_APP = (
    """/bin/sh -c 'echo -n hello > $IEXEC_OUT/result.txt; echo said; """
    """echo "{\\"deterministic-output-path\\": \\"/iexec_out/result.txt\\"}" > $IEXEC_OUT/computed.json'"""
)
HELLO_DIGEST = "0x" + hashlib.sha256(b"hello").hexdigest()


class Pool:
    """A workerpool on the real contracts with the peers of its worker."""

    hello_app = HELLO_APP
    hello_digest = HELLO_DIGEST

    def __init__(self, chain: Any, hub: HubClient, core: CorePeer, results: ResultPeer, image: str) -> None:
        self.chain, self.hub, self.core, self.results, self.image = chain, hub, core, results, image
        self.owner = chain.account("poolOwner")
        self.requester = chain.account("requester")
        # A worker removes leftover containers of its wallet, so concurrent test processes use different wallets.
        self.worker: Wallet = chain.account(f"worker of test process {os.getpid()}")
        self._apps: dict[str, str] = {}

    async def task(
        self,
        command_line: str = HELLO_APP,
        *,
        image: str | None = None,
        max_execution_s: int = 600,
        **described: Any,
    ) -> pb.Assignment:
        """Buy and initialize a task, and return the assignment of the worker to it."""
        (assignment,) = await self.bag(
            1, command_line, image=image, max_execution_s=max_execution_s, **described
        )
        return assignment

    async def bag(
        self,
        volume: int,
        command_line: str = HELLO_APP,
        *,
        image: str | None = None,
        max_execution_s: int = 600,
        trust: int = 1,
        **described: Any,
    ) -> list[pb.Assignment]:
        """Buy and initialize the tasks of one deal, and return the assignments of the worker to them."""
        image = image or self.image
        deal = await asyncio.to_thread(self._buy, image, volume, trust)
        tasks = [(deal.deal_id, index) for index in range(volume)]
        initialized = await self.execute(calls.initialize_array(tasks))
        chain_task = await self.hub.view_task(deal.task_ids[0])
        fields: dict[str, Any] = {
            "deal_id": deal.deal_id,
            "bot_size": volume,
            "app_uri": image,
            "command_line": command_line,
            "max_execution_time": Duration(seconds=max_execution_s),
            "trust": trust,
            "tag": to_hex(bytes(32)),
            "contribution_deadline": Timestamp(seconds=chain_task.contribution_deadline),
            "final_deadline": Timestamp(seconds=chain_task.final_deadline),
        } | described
        described_tasks = [
            pb.TaskDescription(task_id=task_id, task_index=index, **fields)
            for index, task_id in enumerate(deal.task_ids)
        ]
        return [
            pb.Assignment(
                authorization=authorization_message(self.authorize(self.worker, task)),
                task=task,
                initialization_block=int(initialized["blockNumber"], 16),
            )
            for task in described_tasks
        ]

    def authorize(self, worker: Wallet, task: pb.TaskDescription) -> WorkerpoolAuthorization:
        """Return the authorization of a wallet to contribute to a task."""
        return sign_authorization(
            self.owner,
            worker=worker.address,
            task_id=TaskId(task.task_id),
            deal_id=DealId(task.deal_id),
            task_index=task.task_index,
        )

    async def assigned(self, command_line: str = HELLO_APP, **described: Any) -> TaskId:
        """Buy and initialize a task, assign it to the connected worker, and return its id."""
        assignment = await self.task(command_line, **described)
        self.core.assign(assignment)
        return TaskId(assignment.task.task_id)

    async def execute(self, call: calls.Call) -> dict[str, Any]:
        """Send a call of the hub as the pool's owner and return its receipt."""
        return await asyncio.to_thread(send, self.chain.chain.rpc, self.owner, self.chain.hub, call.data)

    def _buy(self, image: str, volume: int, trust: int) -> Deal:
        market = self.chain.market
        if image not in self._apps:
            self._apps[image] = market.create_app(
                self.requester, f"app {len(self._apps)} {time.time()}", image
            )
        purchase = Purchase(
            requester=self.requester,
            app=self._apps[image],
            app_owner=self.requester,
            workerpool=self.core.configuration.workerpool,
            pool_owner=self.owner,
            volume=volume,
            trust=trust,
        )
        bought: list[Deal] = market.buy(purchase)
        return bought[0]

    async def contribution(self, task_id: str) -> Contribution:
        """Return the worker's contribution to a task."""
        return await self.hub.view_contribution(TaskId(task_id), self.worker.address)


@asynccontextmanager
async def running_pool(chain: PocoChain, image: str) -> AsyncIterator[Pool]:
    """Create a workerpool on a chain and serve the peers of its worker until the block ends."""
    owner = chain.account("poolOwner")
    workerpool = await asyncio.to_thread(chain.market.create_workerpool, owner, f"worker tests {time.time()}")
    core, results = CorePeer(workerpool, chain.chain_id), ResultPeer()
    others = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    config = config_service_pb2.ChainConfig(
        chain_id=chain.chain_id, node_url=chain.url, hub_address=chain.hub, block_time=Duration(seconds=1)
    )
    config_service_pb2_grpc.add_ConfigServiceServicer_to_server(ConfigPeer(config), others)
    result_service_pb2_grpc.add_ResultServiceServicer_to_server(results, others)
    health_pb2_grpc.add_HealthServicer_to_server(serving("workerpool.result_proxy.v1.ResultService"), others)
    port = others.add_insecure_port("127.0.0.1:0")
    core.configuration.config_server_url = core.configuration.result_proxy_url = (
        f"http://127.0.0.1:{port - GRPC_PORT_OFFSET}"
    )
    results.audience = audience_of(core.configuration.result_proxy_url)
    await others.start()
    await core.start()
    try:
        async with HubClient(chain.url, chain.hub) as hub:
            yield Pool(chain, hub, core, results, image)
    finally:
        await core.stop()
        await others.stop(None)

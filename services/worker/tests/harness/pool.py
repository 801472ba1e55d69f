"""A workerpool on the real contracts, with initialized tasks."""

import asyncio
import hashlib
import os
import time
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from workerpool_devnet.market.trading import Purchase
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.transactions import TransactionSender
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import sign_authorization
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import TaskId, to_hex
from workerpool_poco.protocol.model import Contribution
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_worker.adapters.core.messages import authorization_message

from services.worker.tests.doubles.core_peer import CorePeer
from services.worker.tests.doubles.service_peers import ResultPeer

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
        self.sender = TransactionSender(hub, self.owner)
        self._apps: dict[str, str] = {}

    async def task(
        self,
        command_line: str = HELLO_APP,
        *,
        image: str | None = None,
        max_execution_s: int = 30,
        **described: Any,
    ) -> pb.Assignment:
        """Buy and initialize a task, and return the assignment of the worker to it."""
        image = image or self.image
        deal = (await asyncio.to_thread(self._buy, image))[0]
        task_id = deal.task_ids[0]
        initialized = await self.sender.execute(calls.initialize(deal.deal_id, 0))
        chain_task = await self.hub.view_task(task_id)
        authorization = sign_authorization(
            self.owner, worker=self.worker.address, task_id=task_id, deal_id=deal.deal_id, task_index=0
        )
        fields: dict[str, Any] = {
            "task_id": task_id,
            "deal_id": deal.deal_id,
            "bot_size": 1,
            "app_uri": image,
            "command_line": command_line,
            "max_execution_time": Duration(seconds=max_execution_s),
            "trust": 1,
            "tag": to_hex(bytes(32)),
            "contribution_deadline": Timestamp(seconds=chain_task.contribution_deadline),
            "final_deadline": Timestamp(seconds=chain_task.final_deadline),
        } | described
        return pb.Assignment(
            authorization=authorization_message(authorization),
            task=pb.TaskDescription(**fields),
            initialization_block=initialized.block_number,
        )

    async def assigned(self, command_line: str = HELLO_APP, **described: Any) -> TaskId:
        """Buy and initialize a task, assign it to the connected worker, and return its id."""
        assignment = await self.task(command_line, **described)
        self.core.assign(assignment)
        return TaskId(assignment.task.task_id)

    def _buy(self, image: str) -> Any:
        market = self.chain.market
        if image not in self._apps:
            self._apps[image] = market.create_app(
                self.requester, f"app {len(self._apps)} {time.time()}", image
            )
        return market.buy(
            Purchase(
                requester=self.requester,
                app=self._apps[image],
                app_owner=self.requester,
                workerpool=self.core.configuration.workerpool,
                pool_owner=self.owner,
            )
        )

    async def contribution(self, task_id: str) -> Contribution:
        """Return the worker's contribution to a task."""
        return await self.hub.view_contribution(TaskId(task_id), self.worker.address)

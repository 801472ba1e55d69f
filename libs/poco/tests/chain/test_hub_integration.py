"""The chain client against the real contracts on a local chain: whole tasks, typed reads, events."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from eth_utils.crypto import keccak
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.errors import TransactionError
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import CallReverted, ChainUnreachable, HubNotFound, WrongChain
from workerpool_poco.protocol.authorization import sign_authorization
from workerpool_poco.protocol.contracts import abi, calls
from workerpool_poco.protocol.contracts.events import (
    HubEvent,
    SchedulerNotice,
    TaskClaimed,
    TaskConsensus,
    TaskContribute,
    TaskFinalize,
    TaskInitialize,
    TaskReopen,
    TaskReveal,
    decode_log,
)
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, DealId, address, from_hex, task_id_of, to_hex
from workerpool_poco.protocol.orders import AppOrder, RequestOrder, WorkerpoolOrder
from workerpool_poco.protocol.result_link import ResultLink
from workerpool_poco.protocol.results import enclave_message, result_hash, result_seal
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus
from workerpool_poco.protocol.tags import TeeFramework, make_tag

DIGEST = keccak(b"result")
LINK = ResultLink("ipfs", "/ipfs/QmResult").to_bytes()


@pytest.fixture
async def hub(poco_chain: PocoChain) -> AsyncIterator[HubClient]:
    async with HubClient(poco_chain.url, poco_chain.hub, chain_id=poco_chain.chain_id) as client:
        yield client


@dataclass
class Mined:
    """A mined transaction: its logs, and those of the hub as events."""

    logs: list[dict[str, Any]]
    events: list[HubEvent]

    def created_entry(self, registry: Address) -> Address:
        """Return the address of the app that a registry created."""
        topic = to_hex(abi.APP_REGISTRY.events["Transfer"].topic)
        (log,) = [
            each for each in self.logs if address(each["address"]) == registry and each["topics"][0] == topic
        ]
        return address(from_hex(log["topics"][3])[12:])


@dataclass
class Sender:
    """Sends the transactions of one wallet."""

    chain: PocoChain
    wallet: Wallet

    async def execute(self, call: calls.Call) -> Mined:
        """Send a call and wait until it is mined; raises `TransactionError` when it reverts."""
        return (await self.execute_all([call]))[0]

    async def execute_all(self, wanted: list[calls.Call]) -> list[Mined]:
        """Send calls together and wait until all are mined."""
        return await asyncio.to_thread(self._execute, wanted)

    def _execute(self, wanted: list[calls.Call]) -> list[Mined]:
        outbox = Outbox(self.chain.chain.rpc)
        for call in wanted:
            outbox.call(self.wallet, "a call", call.to or self.chain.hub, call.data, value=call.value)
        return [self._mined(receipt["logs"]) for receipt in outbox.flush()]

    def _mined(self, logs: list[dict[str, Any]]) -> Mined:
        events = [decode_log(each) for each in logs if address(each["address"]) == self.chain.hub]
        return Mined(logs, [each for each in events if each is not None])


@dataclass
class Parties:
    chain: PocoChain
    hub: HubClient
    pool_owner: Wallet
    requester: Wallet
    pool: str
    app: str

    async def buy(self, **wishes: object) -> DealId:
        purchase = Purchase(
            requester=self.requester,
            app=self.app,
            app_owner=self.pool_owner,
            workerpool=self.pool,
            pool_owner=self.pool_owner,
            **wishes,  # type: ignore[arg-type]
        )
        (deal,) = await asyncio.to_thread(self.chain.market.buy, purchase)
        return deal.deal_id

    def sender(self, wallet: Wallet) -> Sender:
        return Sender(self.chain, wallet)

    def contribution(
        self,
        worker: Wallet,
        deal: DealId,
        index: int = 0,
        digest: bytes = DIGEST,
        enclave: Wallet | None = None,
    ) -> calls.Call:
        task = task_id_of(deal, index)
        challenge = enclave.address if enclave else ZERO_ADDRESS
        authorization = sign_authorization(
            self.pool_owner,
            worker=worker.address,
            task_id=task,
            deal_id=deal,
            task_index=index,
            enclave_challenge=challenge,
        )
        hash_, seal = result_hash(task, digest), result_seal(worker.address, task, digest)
        return calls.contribute(
            task,
            hash_,
            seal,
            authorization.signature,
            enclave_challenge=challenge,
            enclave_sign=enclave.sign_message_hash(enclave_message(hash_, seal)) if enclave else b"",
        )


_names: Iterator[int] = iter(range(1_000_000))


@pytest.fixture
async def parties(poco_chain: PocoChain, hub: HubClient) -> Parties:
    def found() -> Parties:
        owner, requester = poco_chain.account("poolOwner"), poco_chain.account("requester")
        number = next(_names)
        pool = poco_chain.market.create_workerpool(owner, f"poco tests {number}")
        app = poco_chain.market.create_app(owner, f"poco-{number}", "docker.io/library/alpine:3.20")
        return Parties(poco_chain, hub, owner, requester, pool, app)

    return await asyncio.to_thread(found)


async def account(chain: PocoChain, role: str) -> Wallet:
    return await asyncio.to_thread(chain.account, role)


async def test_a_task_from_deal_to_finalize(parties: Parties, hub: HubClient) -> None:
    worker = await account(parties.chain, "worker-1")
    before = await hub.block_number()
    deal_id = await parties.buy(
        workerpool_price=100, volume=2, params=DealParams(args="hello"), category=0, trust=1
    )
    deal = await hub.view_deal(deal_id)
    assert deal.exists
    assert (deal.workerpool.pointer, deal.workerpool.owner) == (parties.pool, parties.pool_owner.address)
    assert (deal.workerpool.price, deal.trust, deal.worker_stake) == (100, 1, 30)
    assert list(deal.task_indexes) == [0, 1]
    assert DealParams.parse(deal.params).args == "hello"
    assert not deal.has_dataset
    assert not deal.has_callback

    task = task_id_of(deal_id, 0)
    assert (await hub.view_task(task)).status is ChainTaskStatus.UNSET
    owner, actor = parties.sender(parties.pool_owner), parties.sender(worker)
    receipt = await owner.execute(calls.initialize_array([(deal_id, 0), (deal_id, 1)]))
    initialized = [event.task_id for event in receipt.events if isinstance(event, TaskInitialize)]
    assert initialized == [task, task_id_of(deal_id, 1)]

    on_chain = await hub.view_task(task)
    category = await hub.view_category(deal.category)
    assert (category.name, category.work_clock_time_ref) == ("XS", 300)
    assert on_chain.status is ChainTaskStatus.ACTIVE
    assert on_chain.contribution_deadline == deal.start_time + 7 * 300
    assert on_chain.final_deadline == deal.final_deadline(300)

    stake = await hub.view_account(worker.address)
    await actor.execute(parties.contribution(worker, deal_id))
    assert (await hub.view_account(worker.address)).locked == stake.locked + 30
    contribution = await hub.view_contribution(task, worker.address)
    assert contribution.status is ContributionStatus.CONTRIBUTED
    assert contribution.result_hash == result_hash(task, DIGEST)
    await actor.execute(calls.reveal(task, DIGEST))
    await owner.execute(calls.finalize(task, LINK))

    done = await hub.view_task(task)
    assert done.status is ChainTaskStatus.COMPLETED
    assert done.contributors == (worker.address,)
    assert ResultLink.decode(done.results) == ResultLink("ipfs", "/ipfs/QmResult")
    assert done.result_digest == DIGEST

    head = await hub.block_number()
    (notice,) = await hub.scheduler_notices(parties.pool, before, head)
    assert (notice.deal_id, notice.workerpool) == (deal_id, parties.pool)
    story = await hub.get_logs(
        before,
        head,
        kinds=[TaskInitialize, TaskContribute, TaskConsensus, TaskReveal, TaskFinalize],
        first_indexed=[task],
    )
    kinds = [type(event) for event in story]
    assert kinds == [TaskInitialize, TaskContribute, TaskConsensus, TaskReveal, TaskFinalize]
    assert await hub.get_block_logs(notice.position.block_hash, kinds=[SchedulerNotice]) == [notice]

    other = await hub.view_tasks([task, task_id_of(deal_id, 1)])
    assert [item.status for item in other] == [ChainTaskStatus.COMPLETED, ChainTaskStatus.ACTIVE]
    account_now = await hub.view_account(worker.address)
    assert await hub.view_task_and_account(task, worker.address) == (done, account_now)
    assert await hub.view_task_and_contribution(task, worker.address) == (
        done,
        await hub.view_contribution(task, worker.address),
    )
    pairs = [(task, worker.address), (task, parties.requester.address)]
    both = await hub.view_contributions(pairs)
    assert [item.status for item in both] == [ContributionStatus.PROVED, ContributionStatus.UNSET]


async def test_contribute_and_finalize_of_an_enclave_task(parties: Parties, hub: HubClient) -> None:
    worker, enclave = await account(parties.chain, "worker-1"), Wallet.create()
    deal_id = await parties.buy(tag=make_tag(framework=TeeFramework.SCONE))
    task = task_id_of(deal_id, 0)
    await parties.sender(parties.pool_owner).execute(calls.initialize(deal_id, 0))
    authorization = sign_authorization(
        parties.pool_owner,
        worker=worker.address,
        task_id=task,
        deal_id=deal_id,
        task_index=0,
        enclave_challenge=enclave.address,
    )
    message = enclave_message(result_hash(task, DIGEST), result_seal(worker.address, task, DIGEST))
    await parties.sender(worker).execute(
        calls.contribute_and_finalize(
            task,
            DIGEST,
            LINK,
            authorization.signature,
            enclave_challenge=enclave.address,
            enclave_sign=enclave.sign_message_hash(message),
        )
    )
    assert (await hub.view_task(task)).status is ChainTaskStatus.COMPLETED


async def test_a_task_without_reveals_is_reopened_and_then_claimed(
    fresh_poco_chain: PocoChain, parties: Parties, hub: HubClient
) -> None:
    worker = await account(parties.chain, "worker-1")
    deal_id = await parties.buy(category=0)
    task = task_id_of(deal_id, 0)
    owner = parties.sender(parties.pool_owner)
    await owner.execute(calls.initialize(deal_id, 0))
    await parties.sender(worker).execute(parties.contribution(worker, deal_id))
    assert (await hub.view_task(task)).status is ChainTaskStatus.REVEALING
    with pytest.raises(TransactionError):
        await owner.execute(calls.reopen(task))
    await asyncio.to_thread(fresh_poco_chain.chain.increase_time, 601)
    reopened = await owner.execute(calls.reopen(task))
    assert [type(event) for event in reopened.events] == [TaskReopen]
    assert (await hub.view_task(task)).status is ChainTaskStatus.ACTIVE
    assert (await hub.view_contribution(task, worker.address)).status is ContributionStatus.REJECTED
    await asyncio.to_thread(fresh_poco_chain.chain.increase_time, 3000)
    claimed = await owner.execute(calls.claim_array([task]))
    assert any(isinstance(event, TaskClaimed) for event in claimed.events)
    assert (await hub.view_task(task)).status is ChainTaskStatus.FAILED


async def test_a_requester_buys_tasks_with_this_library_alone(parties: Parties, hub: HubClient) -> None:
    chain, requester = parties.chain, parties.requester
    sender = parties.sender(requester)
    token = address((await hub.call(abi.HUB["token"]))[0])
    registry = address((await hub.call(abi.HUB["appregistry"]))[0])
    before = await hub.view_account(requester.address)
    await sender.execute(calls.approve_and_deposit(token, chain.hub, 5))
    assert (await hub.view_account(requester.address)).stake == before.stake + 5
    name = f"own-app-{next(_names)}"
    created = await sender.execute(calls.create_app(registry, requester.address, name, "alpine"))
    app = created.created_entry(registry)
    assert (await hub.view_app(app)).multiaddr == "alpine"
    domain = hub.order_domain
    deal = await sender.execute(
        calls.match_orders(
            AppOrder(app=app).signed(requester, domain),
            WorkerpoolOrder(workerpool=parties.pool).signed(parties.pool_owner, domain),
            request := RequestOrder(app=app, workerpool=parties.pool, requester=requester.address).signed(
                requester, domain
            ),
        )
    )
    (notice,) = [event for event in deal.events if isinstance(event, SchedulerNotice)]
    assert (await hub.view_deal(notice.deal_id)).requester == requester.address
    assert await hub.consumed_volume(request.hash(domain)) == 1


async def test_constants_and_resources(parties: Parties, hub: HubClient) -> None:
    assert await hub.contribution_deadline_ratio() == 7
    assert await hub.workerpool_owner(parties.pool) == parties.pool_owner.address
    assert (await hub.view_workerpool(parties.pool)).worker_stake_ratio == 30
    assert await hub.view_score(parties.requester.address) == 0
    assert await hub.tee_broker() == ZERO_ADDRESS
    assert await hub.callback_gas() >= 100_000
    assert not (await hub.view_deal(DealId("0x" + "00" * 32))).exists
    with pytest.raises(CallReverted):
        await hub.view_category(10_000)
    head = await hub.block()
    assert head is not None
    assert await hub.block(head.hash) == await hub.block(head.number) == head
    assert await hub.blocks([head.number, head.number + 1000]) == [head, None]


async def test_connect_reports_a_wrong_chain_and_a_missing_hub(poco_chain: PocoChain) -> None:
    for url, hub_address, chain_id, error in (
        ("http://127.0.0.1:9", poco_chain.hub, None, ChainUnreachable),
        (poco_chain.url, poco_chain.hub, 134, WrongChain),
        (poco_chain.url, "0x" + "22" * 20, None, HubNotFound),
    ):
        client = HubClient(url, hub_address, chain_id=chain_id, attempts=2)
        with pytest.raises(error):
            await client.connect()
        await client.close()


async def test_many_tasks_with_many_transactions_in_flight(parties: Parties, hub: HubClient) -> None:
    worker = await account(parties.chain, "worker-1")
    count = 30
    deal_id = await parties.buy(volume=count)
    tasks = [task_id_of(deal_id, index) for index in range(count)]
    owner, actor = parties.sender(parties.pool_owner), parties.sender(worker)
    await owner.execute(calls.initialize_array([(deal_id, index) for index in range(count)]))
    await actor.execute_all([parties.contribution(worker, deal_id, index) for index in range(count)])
    await actor.execute_all([calls.reveal(task, DIGEST) for task in tasks])
    await owner.execute_all([calls.finalize(task, LINK) for task in tasks])
    assert {task.status for task in await hub.view_tasks(tasks)} == {ChainTaskStatus.COMPLETED}

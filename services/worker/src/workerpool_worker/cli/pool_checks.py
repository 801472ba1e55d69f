"""Checks of the pool: scheduler, config server, node, the wallet's account, and result proxy, one request each."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

import grpc
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_client import ConfigServerUnreachable, ask_chain_config
from workerpool_kit.dependencies.report import DependencyProblem
from workerpool_kit.grpc.client import error_reason, open_service
from workerpool_kit.process import StartupError
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import CallReverted, EmptyAnswer, HubNotFound, PocoError, WrongChain
from workerpool_poco.protocol.ids import Address, address
from workerpool_poco.protocol.model import Account
from workerpool_protocol.core.v1.pool_service_pb2 import GetWorkerResponse
from workerpool_transactions.adapters.rpc_node import RpcNode
from workerpool_transactions.domain.fees import FeePolicy

from workerpool_worker.adapters.core.client import CoreClient, PoolConfiguration, describe, is_permanent
from workerpool_worker.dependencies import check_proxy_name
from workerpool_worker.domain.diagnosis.clock import clock_finding
from workerpool_worker.domain.diagnosis.findings import Code, Finding, ok, problem, skipped
from workerpool_worker.domain.diagnosis.judgements import gas_finding, stake_finding, version_finding
from workerpool_worker.errors import CoreRefused
from workerpool_worker.settings import WorkerSettings

_LIMIT_S = 5.0
_NOT_WHITELISTED = "NOT_WHITELISTED"
_NODE_REMEDY = (
    "Start the node, or set IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS to another one of the pool's chain."
)


@dataclass(frozen=True, slots=True)
class Wealth:
    """A wallet's account in the hub in nRLC, and its coins in wei with today's price of a unit of gas."""

    account: Account
    balance: int
    price: int


class PoolChecks:
    """Queries each service of the pool once, and keeps the answers as attributes."""

    def __init__(self, settings: WorkerSettings, stack: AsyncExitStack) -> None:
        """Create it without connecting; `stack` closes the connections."""
        self._settings = settings
        self._stack = stack
        self._core: CoreClient | None = None
        self.pool: PoolConfiguration | None = None
        self.clock_offset_s: float | None = None
        """Seconds by which this host's clock is ahead of the scheduler's."""
        self.chain: ChainConfig | None = None
        self.hub: HubClient | None = None
        self.block_time: float | None = None
        """Timestamp of the newest block in Unix seconds."""

    # --- scheduler ------------------------------------------------------------

    async def scheduler(self, version: str) -> list[Finding]:
        """Read the pool's configuration, and judge the pool and the version that it requires."""
        settings = self._settings
        try:
            core = CoreClient(settings.core, settings.core_grpc)
            self._stack.push_async_callback(core.close)
            began, asked_at = time.monotonic(), time.time()
            self.pool, server_time = await core.configuration_and_clock(limit_s=_LIMIT_S)
            half_way = (time.monotonic() - began) / 2
        except ValueError as bad_url:
            return [problem("scheduler", Code.BAD_SETTING, str(bad_url), "Correct IEXEC_CORE_URL.")]
        except CoreRefused as refused:
            return [problem("scheduler", Code.CORE_UNREACHABLE, refused.message, "Correct IEXEC_CORE_URL.")]
        except grpc.aio.AioRpcError as error:
            message = f"the scheduler at {settings.core} does not answer ({describe(error)})"
            remedy = "Correct IEXEC_CORE_URL, open the way to it (its gRPC port too), or wait until it runs."
            return [problem("scheduler", Code.CORE_UNREACHABLE, message, remedy)]
        self._core = core
        if server_time is not None:
            self.clock_offset_s = asked_at + half_way - server_time
        found = [ok("scheduler", f"{settings.core} answers")]
        if self.pool.workerpool != settings.pool_address:
            message = (
                f"{settings.core} runs the workerpool {self.pool.workerpool}, not {settings.pool_address}"
            )
            found.append(problem("pool", Code.WRONG_POOL, message, "Correct POOL_ADDRESS or IEXEC_CORE_URL."))
        return [
            *found,
            version_finding(version, self.pool.required_worker_version, self.pool.scheduler_version),
        ]

    async def admission(self, wallet: Address | None) -> list[Finding]:
        """Check that the pool admits the wallet and assigns work to it."""
        if wallet is None or self._core is None:
            return [skipped("admission", "a wallet" if wallet is None else "the scheduler")]
        try:
            await self._core.challenge(wallet, limit_s=_LIMIT_S)
        except grpc.aio.AioRpcError as error:
            if error_reason(error) == _NOT_WHITELISTED:
                message = f"the wallet {wallet} is not on the pool's whitelist"
                remedy = "Ask the pool's operator to add it to IEXEC_WORKERS_WHITELIST."
                return [problem("admission", Code.NOT_WHITELISTED, message, remedy)]
            if not is_permanent(error):
                message = (
                    f"the scheduler does not answer whether it admits the wallet {wallet}: {describe(error)}"
                )
                remedy = "Run check again when the scheduler answers."
                return [problem("admission", Code.CORE_UNREACHABLE, message, remedy)]
            message = f"the scheduler refuses the wallet {wallet}: {describe(error)}"
            return [
                problem(
                    "admission", Code.CORE_UNREACHABLE, message, "Ask the pool's operator for the reason."
                )
            ]
        standing = await self.standing(wallet)
        if standing is None:
            return [ok("admission", "the pool admits the wallet; no worker has connected with it yet")]
        worker = standing.worker
        if worker.HasField("drained_until") or worker.HasField("quarantined_until") or worker.parked_reason:
            return [
                problem(
                    "admission",
                    Code.NO_WORK,
                    "the pool admits the wallet, but gives it no work",
                    standing.idle_reason,
                )
            ]
        return [ok("admission", "the pool admits the wallet")]

    async def standing(self, wallet: Address) -> GetWorkerResponse | None:
        """Return the scheduler's record of the worker; None if it has none or does not answer."""
        if self._core is None:
            return None
        try:
            return await self._core.worker(wallet, limit_s=_LIMIT_S)
        except grpc.aio.AioRpcError:
            return None

    # --- chain ----------------------------------------------------------------

    async def node(self) -> list[Finding]:
        """Find the chain by the config server that the scheduler names, and reach its node and hub."""
        if self.pool is None:
            return [skipped("node", "the scheduler")]
        url, source = self.pool.config_server_url, "the config server that the scheduler names"
        try:
            chain = await ask_chain_config(url, source)
        except (ConfigServerUnreachable, StartupError) as outage:
            remedy = "Ask the pool's operator to start it, or to correct its address."
            return [problem("config server", Code.CONFIG_SERVER_UNREACHABLE, str(outage), remedy)]
        self.chain = chain
        url = self._settings.node_address or chain.node_url
        try:
            hub = HubClient(
                url, address(chain.hub_address), chain_id=chain.chain_id, timeout=_LIMIT_S, attempts=1
            )
            self._stack.push_async_callback(hub.close)
            await hub.connect()
            await hub.workerpool_owner(self._settings.pool_address)
            head = await hub.block()
        except (WrongChain, HubNotFound) as wrong:
            return [problem("node", Code.WRONG_CHAIN, str(wrong), _NODE_REMEDY)]
        except (CallReverted, EmptyAnswer):
            message = f"there is no workerpool {self._settings.pool_address} on chain {chain.chain_id}"
            return [problem("node", Code.WRONG_POOL, message, "Correct POOL_ADDRESS.")]
        except (PocoError, ValueError) as outage:
            return [problem("node", Code.NODE_UNREACHABLE, str(outage), _NODE_REMEDY)]
        self.hub = hub
        self.block_time = float(head.timestamp) if head is not None else None
        number = head.number if head is not None else 0
        return [ok("node", f"chain {chain.chain_id}, block {number}")]

    async def wealth(self, wallet: Address) -> Wealth:
        """Read the wallet's account and coins. Raises PocoError."""
        assert self.hub is not None
        assert self.chain is not None
        node = RpcNode(self.hub.rpc, wallet)
        account, balance, quote = await asyncio.gather(
            self.hub.view_account(wallet), node.balance(), node.quote()
        )
        return Wealth(account, balance, fee_policy(self._settings, self.chain).price(quote))

    async def funds(self, wallet: Address | None) -> list[Finding]:
        """Judge the wallet's stake and gas."""
        if wallet is None or self.hub is None:
            missing = "a wallet" if wallet is None else "a node of the chain"
            return [skipped("stake", missing), skipped("gas", missing)]
        try:
            wealth = await self.wealth(wallet)
        except PocoError as outage:
            return [
                problem("stake", Code.NODE_UNREACHABLE, str(outage), _NODE_REMEDY),
                skipped("gas", "a node of the chain"),
            ]
        return [
            stake_finding(wealth.account, wallet),
            gas_finding(wealth.balance, wealth.price, wallet),
        ]

    def clock(self) -> Finding:
        """Judge this host's clock by what was read."""
        now = time.time()
        core_now = None if self.clock_offset_s is None else now - self.clock_offset_s
        return clock_finding(now, core_now, self.block_time)

    # --- result proxy ---------------------------------------------------------

    async def proxy(self) -> list[Finding]:
        """Check that the result proxy answers under the URL that the scheduler names."""
        if self.pool is None:
            return [skipped("result proxy", "the scheduler")]
        if not self.pool.result_proxy_url:
            return [skipped("result proxy", "a scheduler that names one")]
        url = self.pool.result_proxy_url
        try:
            channel = open_service(url)
            self._stack.push_async_callback(channel.close, None)
            await check_proxy_name(channel, url)
        except (DependencyProblem, ValueError) as wrong:
            step = (
                getattr(wrong, "next_step", None) or "Ask the pool's operator; results wait here meanwhile."
            )
            return [problem("result proxy", Code.PROXY_UNREACHABLE, f"{url}: {wrong}", step)]
        return [ok("result proxy", f"{url} answers")]


def fee_policy(settings: WorkerSettings, chain: ChainConfig) -> FeePolicy:
    """Return the operator's limits of fees; gas is free on a sidechain."""
    return FeePolicy(settings.gas_price_multiplier, 0 if chain.sidechain else settings.gas_price_cap)

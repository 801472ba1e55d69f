"""The steps of `poolctl init`: read what exists, do what is missing, one step at a time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import ZERO_ADDRESS, address

from poolctl.adapters.chain import hub_of
from poolctl.adapters.pool_folder import read_env
from poolctl.adapters.setup.files import PoolFiles
from poolctl.adapters.setup.sender import sender
from poolctl.domain.setup import env_text
from poolctl.domain.setup.plan import CORE_WALLET, WORKER_WALLET, Account, Kind, State, Step, Wishes, policy
from poolctl.errors import CommandFailed
from poolctl.folder import ENV_FILE

_DEFAULT_CAP = 22_000_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """The chain of the new pool, and what its `.env` holds besides."""

    chain_id: int
    node_url: str
    hub: str
    free_gas: bool
    block_time_s: float
    host: str
    market_url: str
    price: int | None
    gas_price_cap: int = _DEFAULT_CAP


class Initialisation:
    """One run of init in a pool's folder, on a connected hub."""

    def __init__(self, files: PoolFiles, hub: HubClient, target: Target, wishes: Wishes) -> None:
        self.files = files
        self._hub = hub
        self._target = target
        self._wishes = wishes
        self._wallets: dict[str, Wallet] = {}
        self.native = False
        """Whether the chain's coin is RLC."""
        self.transactions: dict[Kind, str] = {}
        """The transactions of this run."""

    async def state(self) -> State:
        """Return what exists. Raises CommandFailed, and PocoError for the node."""
        files = self.files
        self.native = await self._hub.rlc_token() == ZERO_ADDRESS
        state = State(files.passwords(), files.wallets())
        if CORE_WALLET in state.wallets and "core-wallet-password" in state.passwords:
            state = await self._with_pool(state, await self._wallet(CORE_WALLET))
        if WORKER_WALLET in state.wallets and "worker-wallet-password" in state.passwords:
            worker = await self._wallet(WORKER_WALLET)
            state = replace(state, worker=await self._account(worker.address))
        return self._with_env(state, await self._head())

    async def execute(self, step: Step, password_files: Mapping[str, Path]) -> None:
        """Do one step. Raises CommandFailed, and PocoError for the node.

        Args:
            step: a step that is not done.
            password_files: files of the operator whose passwords are taken over, by the name of a password file.
        """
        if step.kind is Kind.PASSWORD:
            await asyncio.to_thread(self.files.create_password, step.name, password_files.get(step.name))
        elif step.kind is Kind.WALLET:
            await asyncio.to_thread(self.files.create_wallet, step.name)
        elif step.kind is Kind.ENV:
            await self._write_env()
        else:
            self.transactions[step.kind] = await self._send(step)

    async def _send(self, step: Step) -> str:
        wallet = await self._wallet(WORKER_WALLET if step.kind is Kind.WORKER_STAKE else CORE_WALLET)
        call = await self._call(step, wallet)
        target = self._target
        async with sender(
            self._hub,
            wallet,
            free_gas=target.free_gas,
            block_time_s=target.block_time_s,
            gas_price_cap=target.gas_price_cap,
        ) as sending:
            return await sending.execute(call)

    async def _call(self, step: Step, wallet: Wallet) -> calls.Call:
        hub = self._hub
        if step.kind is Kind.REGISTER:
            registry = await hub.workerpool_registry()
            return calls.create_workerpool(registry, wallet.address, self._wishes.description)
        if step.kind is Kind.POLICY:
            state = await self.state()
            return calls.change_policy(address(state.pool), *policy(self._wishes, state))
        token = await hub.rlc_token()
        if token == ZERO_ADDRESS:
            return calls.deposit_coins(step.amount)
        return calls.approve_and_deposit(token, hub.hub_address, step.amount)

    async def _with_pool(self, state: State, owner: Wallet) -> State:
        pool, registered = await self._hub.predict_workerpool(owner.address, self._wishes.description)
        state = replace(state, pool=pool, registered=registered, owner=await self._account(owner.address))
        if not registered:
            return state
        found = await self._hub.view_workerpool(pool)
        return replace(
            state,
            worker_stake_ratio=found.worker_stake_ratio,
            scheduler_reward_ratio=found.scheduler_reward_ratio,
        )

    def _with_env(self, state: State, head: int) -> State:
        wanted = self._variables(state.pool, head)
        present = read_env(self.files.folder / ENV_FILE)
        if clashes := env_text.conflicts(present, wanted) if state.pool else []:
            raise CommandFailed(
                f".env names another pool or chain: {', '.join(f'{name}={present[name]}' for name in clashes)}",
                "name another folder with --pool-dir, or the same description and chain as before",
            )
        lacking = env_text.missing(present, env_text.names_set(self.files.env_text()), wanted)
        return replace(state, env_is_current=not lacking, missing_variables=tuple(lacking))

    async def _write_env(self) -> None:
        state = await self.state()
        wanted = self._variables(state.pool, await self._head())
        text = self.files.env_text()
        present = read_env(self.files.folder / ENV_FILE)
        lacking = env_text.missing(present, env_text.names_set(text), wanted)
        await asyncio.to_thread(self.files.write_env, env_text.merged(text, lacking))

    def _variables(self, pool: str, head: int) -> dict[str, str]:
        target = self._target
        return env_text.variables(
            env_text.PoolFacts(
                chain_id=target.chain_id,
                node_url=target.node_url,
                hub=target.hub,
                free_gas=target.free_gas,
                block_time_s=target.block_time_s,
                head=head,
                pool=pool,
                description=self._wishes.description,
                price=target.price,
                host=target.host,
                market_url=target.market_url,
            )
        )

    async def _head(self) -> int:
        head = await self._hub.block()
        return head.number if head is not None else 0

    async def _account(self, wallet: str) -> Account:
        owner = address(wallet)
        (wei,), nrlc, account = await asyncio.gather(
            self._hub.balances([owner]), self._hub.rlc_balance(owner), self._hub.view_account(owner)
        )
        return Account(owner, wei, nrlc, account.stake, account.locked)

    async def _wallet(self, name: str) -> Wallet:
        if name not in self._wallets:
            # Decryption takes a second of CPU.
            self._wallets[name] = await asyncio.to_thread(self.files.open_wallet, name)
        return self._wallets[name]


@asynccontextmanager
async def initialisation(
    folder: Path, target: Target, wishes: Wishes, *, create: bool
) -> AsyncIterator[Initialisation]:
    """Connect to the hub and open the folder, which is created when `create` is set. Raises CommandFailed."""
    files = PoolFiles(folder)
    if create:
        files.prepare()
    async with hub_of(target.node_url, target.hub, target.chain_id) as hub:
        try:
            yield Initialisation(files, hub, target, wishes)
        except PocoError as outage:
            raise CommandFailed(
                f"the node fails: {outage}", "run init again: it continues where it stopped"
            ) from outage

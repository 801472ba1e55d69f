"""The plan of `poolctl init`: what a new pool needs, compared with what is there already.

Each step is planned from what exists, so that a second run does only what is missing.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from workerpool_poco.protocol.encoding.amounts import coins, rlc

DEFAULT_WORKER_STAKE_RATIO, DEFAULT_SCHEDULER_REWARD_RATIO = 30, 1
"""What a new workerpool contract has, in percent."""


class Kind(StrEnum):
    """The steps, in their order."""

    PASSWORD = "password"
    WALLET = "wallet"
    REGISTER = "register"
    POLICY = "policy"
    STAKE = "stake"
    WORKER_STAKE = "worker-stake"
    ENV = "env"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: whether it is done already, and what it does."""

    kind: Kind
    what: str
    done: bool
    name: str = ""
    """File of a password or wallet."""
    amount: int = 0
    """nRLC to deposit."""
    on_chain: bool = False


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator requested."""

    description: str
    worker_stake_ratio: int | None = None
    """None keeps what the contract has."""
    scheduler_reward_ratio: int | None = None
    stake: int = 0
    """nRLC that the owner's account holds afterwards at least."""
    worker_stake: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """A wallet on chain: coins in wei, nRLC in the wallet, and free and locked nRLC in the hub."""

    address: str
    wei: int
    nrlc: int
    stake: int
    locked: int

    @property
    def deposited(self) -> int:
        """Free and locked nRLC in the hub."""
        return self.stake + self.locked


@dataclass(frozen=True, slots=True)
class State:
    """What exists already."""

    passwords: frozenset[str]
    """Password files that exist."""
    wallets: frozenset[str]
    """Wallet files that exist."""
    pool: str = ""
    """Address that the pool has or will have; empty before the owner's wallet exists."""
    registered: bool = False
    worker_stake_ratio: int | None = None
    scheduler_reward_ratio: int | None = None
    owner: Account | None = None
    worker: Account | None = None
    env_is_current: bool = False
    missing_variables: tuple[str, ...] = field(default=())
    """Variables that `.env` lacks or holds with another value."""


PASSWORDS = (
    "core-wallet-password",
    "worker-wallet-password",
    "chain-adapter-password",
    "core-operator-password",
    "mongo-password",
    "grafana-admin-password",
)
"""Files of the folder `secrets`, one password each."""
CORE_WALLET, WORKER_WALLET = "core_wallet.json", "worker_wallet.json"


def file_steps(state: State) -> list[Step]:
    """Return the steps that need no chain: passwords and wallets."""
    steps = [
        Step(Kind.PASSWORD, f"secrets/{name}: a random password", name in state.passwords, name)
        for name in PASSWORDS
    ]
    for name, role in ((CORE_WALLET, "the pool's owner"), (WORKER_WALLET, "the first worker")):
        steps.append(Step(Kind.WALLET, f"{name}: the wallet of {role}", name in state.wallets, name))
    return steps


def chain_steps(wishes: Wishes, state: State) -> list[Step]:
    """Return the steps on chain: registration, policy, stakes."""
    pool = state.pool or "an address that follows from wallet and description"
    steps = [
        Step(
            Kind.REGISTER,
            f'register the workerpool "{wishes.description}" at {pool}',
            state.registered,
            on_chain=True,
        )
    ]
    worker_ratio, reward_ratio = policy(wishes, state)
    if wishes.worker_stake_ratio is not None or wishes.scheduler_reward_ratio is not None:
        current = (state.worker_stake_ratio, state.scheduler_reward_ratio)
        what = (
            f"policy: workers lock {worker_ratio} % of a price, the owner keeps {reward_ratio} % of a reward"
        )
        steps.append(Step(Kind.POLICY, what, current == (worker_ratio, reward_ratio), on_chain=True))
    for kind, wanted, account, role in (
        (Kind.STAKE, wishes.stake, state.owner, "the owner"),
        (Kind.WORKER_STAKE, wishes.worker_stake, state.worker, "the worker"),
    ):
        if wanted:
            missing = max(wanted - (account.deposited if account is not None else 0), 0)
            what = f"stake of {role}: {rlc(wanted)}" + (f", deposit {rlc(missing)}" if missing else "")
            steps.append(Step(kind, what, not missing, amount=missing, on_chain=True))
    return steps


def policy(wishes: Wishes, state: State) -> tuple[int, int]:
    """Return the policy after init, in percent: what a worker locks, and what the owner keeps."""
    worker = wishes.worker_stake_ratio
    reward = wishes.scheduler_reward_ratio
    known_worker = (
        DEFAULT_WORKER_STAKE_RATIO if state.worker_stake_ratio is None else state.worker_stake_ratio
    )
    known_reward = (
        DEFAULT_SCHEDULER_REWARD_RATIO
        if state.scheduler_reward_ratio is None
        else state.scheduler_reward_ratio
    )
    return (known_worker if worker is None else worker, known_reward if reward is None else reward)


def env_step(state: State) -> Step:
    """Return the last step: `.env`."""
    missing = ", ".join(state.missing_variables)
    return Step(Kind.ENV, ".env" + (f": {missing}" if missing else ""), state.env_is_current)


def shortage(steps: list[Step], state: State, *, free_gas: bool, native: bool) -> str:
    """Return what the wallets lack for the open steps, as a sentence; empty when nothing.

    Args:
        steps: all steps of the plan.
        state: the state that they were planned from.
        free_gas: whether transactions pay nothing.
        native: whether the chain's coin is RLC, so that a deposit takes coins.
    """
    open_steps = [each for each in steps if each.on_chain and not each.done]
    lacking = []
    for account, kinds in (
        (state.owner, (Kind.REGISTER, Kind.POLICY, Kind.STAKE)),
        (state.worker, (Kind.WORKER_STAKE,)),
    ):
        own = [each for each in open_steps if each.kind in kinds]
        if not own or account is None:
            continue
        amount = sum(each.amount for each in own)
        if account.nrlc < amount:
            lacking.append(
                f"{account.address} has {rlc(account.nrlc)} and must deposit {rlc(amount)}: send it RLC"
            )
        elif account.wei == 0 and not free_gas and not native:
            lacking.append(f"{account.address} has {coins(0)}: send it coins for gas")
    return "; ".join(lacking)

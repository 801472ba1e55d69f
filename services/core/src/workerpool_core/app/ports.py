"""What the use cases need from the outside, as Protocols, and the values that cross these ports.

`adapters` implements the ports; `composition` connects them. Ids of deals and tasks are 0x-prefixed lower-case
hexadecimal, wallets are checksummed addresses, dates are Unix seconds.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar

from workerpool_poco.protocol.contracts.events import HubEvent
from workerpool_poco.protocol.ids import Address, DealId, TaskId
from workerpool_poco.protocol.model import (
    Account,
    App,
    Block,
    Category,
    ChainTask,
    Contribution,
    Dataset,
    Deal,
)
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain.decisions import (
    CheckResult,
    FindSms,
    RequestEnclaveChallenge,
    RequestTransaction,
    Write,
)
from workerpool_core.domain.events import BlockSeen, BlocksReverted, ReconcileDue
from workerpool_core.domain.model import DealTerms, Replicate, Task
from workerpool_core.domain.policy import Policy

# --- store --------------------------------------------------------------------------------------


class DurableChange(Protocol):
    """One change of a stored document, in the store's encoding."""

    @property
    def estimated_bytes(self) -> int:
        """An upper estimate of the stored size."""


C = TypeVar("C", bound=DurableChange)


class DurableStore(Protocol[C]):
    """The write side of the store: a journal that makes batches durable, and collections that follow it."""

    def encode(self, writes: Sequence[Write]) -> list[C]:
        """Return the changes of writes. Call it before the scheduler changes their objects again."""

    async def append(self, number: int, changes: list[C]) -> list[C]:
        """Make a batch durable as journal entry `number`.

        Returns the batch with changes of one document merged and marked with `number`.
        """

    async def apply(self, changes: list[C]) -> None:
        """Apply durable changes to the collections. Raises StoreDiverged."""

    async def trim(self, number: int) -> None:
        """Remove the journal entries before `number`, all of which are applied."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last block whose effects are all stored; `hash` is empty when unknown."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class ComputeLogs:
    """The compute logs of one replicate."""

    wallet: str
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class OwnerWallet:
    """The wallet of the chain adapter; `problem` is why it sends nothing, empty while it can send."""

    address: str
    balance_wei: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Filters of a task list; an empty value matches every task."""

    statuses: tuple[str, ...] = ()
    deal_id: str = ""
    requester: str = ""
    wallet: str = ""
    id_head: str = ""
    """The first characters of the task id: 0x and hexadecimal digits in lower case."""


@dataclass(frozen=True, slots=True)
class TaskPosition:
    """A position in a task list: the last task of a page."""

    block: int
    deal_id: DealId
    index: int


@dataclass(frozen=True, slots=True)
class DealPosition:
    """A position in a list of deals: the last deal of a page."""

    block: int
    deal_id: DealId


@dataclass(frozen=True, slots=True)
class StoredDeal:
    """A deal with the number of its tasks in each status."""

    terms: DealTerms
    tasks: Mapping[TaskStatus, int]


class DealRepository(Protocol):
    """The deals whose tasks are stored. Every method raises DatabaseUnavailable while the database is down."""

    async def deals(self, requester: str, after: DealPosition | None, limit: int) -> list[StoredDeal]:
        """Read up to `limit` deals after a position, newest first; only those of `requester` unless it is empty."""

    async def deal(self, deal_id: DealId) -> StoredDeal | None:
        """Read one deal."""


class TaskRepository(Protocol):
    """The read side of the store. Every method raises DatabaseUnavailable while the database is down."""

    async def task(self, task_id: TaskId) -> Task | None:
        """Read one task with its replicates."""

    async def replicate(self, task_id: TaskId, wallet: str) -> Replicate | None:
        """Read the replicate of one worker for one task."""

    async def tasks(self, query: TaskQuery, after: TaskPosition | None, limit: int) -> list[Task]:
        """Read up to `limit` tasks without replicates after a position, newest deal first."""

    async def with_replicates(self, tasks: Sequence[Task]) -> None:
        """Add the stored replicates to tasks that were read without them."""

    async def logs(self, task_id: TaskId, wallet: str = "") -> list[ComputeLogs]:
        """Read the compute logs of a task; only those of `wallet` unless it is empty."""


class LogRepository(Protocol):
    """The part of the store that the log purge needs."""

    async def purge_logs(self, final_deadline_before: float) -> int:
        """Delete the logs of tasks whose final deadline is before a date, and return their number.

        Raises DatabaseUnavailable.
        """


class EndedTasks(Protocol):
    """The part of the store that the retention of tasks needs."""

    async def remove_ended_tasks(self, policy: Policy, before: float) -> int:
        """Remove some tasks that ended, and whose final deadline passed, before a date; return how many, 0 at the end.

        Their replicates and logs go with them. Tasks that await a transaction, or that a reorganisation can open again,
        stay. Raises DatabaseUnavailable.
        """


# --- chain --------------------------------------------------------------------------------------


class HeadSource(Protocol):
    """New blocks, pushed by the node."""

    @property
    def latest(self) -> Block | None:
        """The newest block seen; None before the first."""

    def __aiter__(self) -> AsyncIterator[Block]:
        """Yield each new head."""

    async def wait_change(self, timeout: float, /) -> bool:
        """Wait up to `timeout` seconds for a new head; return whether one came."""


class BlockReader(Protocol):
    """Blocks and the hub's logs. Every method raises PocoError when the node fails to answer."""

    async def block(self, which: int, /) -> Block | None:
        """Read a block by number; None when the node does not know it."""

    async def blocks(self, numbers: Sequence[int], /) -> list[Block | None]:
        """Read blocks by number, in order."""

    async def get_logs(
        self, from_block: int, to_block: int, /, *, kinds: Collection[type[HubEvent]]
    ) -> list[HubEvent]:
        """Return the hub's events of a range of blocks, both ends included."""

    async def logs_and_blocks(
        self,
        from_block: int,
        to_block: int,
        numbers: Sequence[int],
        /,
        *,
        kinds: Collection[type[HubEvent]],
    ) -> tuple[list[HubEvent], list[Block | None]]:
        """Return the hub's events of a range of blocks, and blocks by number, in one request."""

    async def get_block_logs(
        self, block_hash: bytes, /, *, kinds: Collection[type[HubEvent]]
    ) -> list[HubEvent]:
        """Return the hub's events of one block."""

    async def sift_block_logs(
        self, block_hash: bytes, /, *, kinds: Collection[type[HubEvent]]
    ) -> list[HubEvent] | None:
        """Return the hub's events among all logs of one block; None when the block has no logs."""

    def may_hold(self, block: Block, kinds: Collection[type[HubEvent]], /) -> bool:
        """Return whether the Bloom filter of a block admits the hub's events of these kinds."""


class DealSource(Protocol):
    """Deals and their assets. Every method raises PocoError when the node fails to answer."""

    async def view_deal(self, deal_id: DealId, /) -> Deal:
        """Read a deal; `exists` is false for one that the node does not know."""

    async def view_app(self, app: Address, /) -> App:
        """Read an app."""

    async def view_dataset(self, dataset: Address, /) -> Dataset:
        """Read a dataset."""

    async def view_category(self, category_id: int, /) -> Category:
        """Read a category."""

    async def contribution_deadline_ratio(self) -> int:
        """Read how many category times the contribution period lasts."""


class AccountSource(Protocol):
    """Accounts in the hub, and balances. Every method raises PocoError when the node fails to answer."""

    async def view_accounts(self, owners: Sequence[Address], /) -> list[Account]:
        """Read the free and locked nRLC of owners in the hub, in order."""

    async def balances(self, owners: Sequence[Address], /) -> list[int]:
        """Read balances in wei, in order."""


class TaskStateSource(AccountSource, Protocol):
    """States of tasks and workers. Every method raises PocoError when the node fails to answer."""

    async def block_number(self) -> int:
        """Read the number of the newest block."""

    async def view_tasks(self, task_ids: Sequence[TaskId], /, *, block: int | None = None) -> list[ChainTask]:
        """Read tasks at a block, in order."""

    async def view_contributions(
        self, pairs: Sequence[tuple[TaskId, Address]], /, *, block: int | None = None
    ) -> list[Contribution]:
        """Read the contributions of (task, worker) pairs at a block, in order."""

    async def view_scores(self, workers: Sequence[Address], /) -> list[int]:
        """Read the scores of workers, in order."""

    async def gas_price(self) -> int:
        """Read the current gas price in wei."""


BlockSink = Callable[[BlockSeen | BlocksReverted | ReconcileDue], None]
"""The receiver of the chain follower's events."""

# --- services -----------------------------------------------------------------------------------


class TransactionRequests(Protocol):
    """Transactions of the pool owner. Each request is answered once, by TransactionAnswered."""

    def request(self, wanted: RequestTransaction) -> None:
        """Start a request. Do nothing while the same one is in flight."""


class ResultChecks(Protocol):
    """Lookups of result archives. Each request is answered once, by ResultChecked."""

    def request(self, wanted: CheckResult) -> None:
        """Start a lookup. Do nothing while one of the same task is in flight."""


class EnclaveChallenges(Protocol):
    """The SMS of TEE tasks and its challenges.

    Each request is answered once: by SmsFound or EnclaveChallengeAnswered, else by SmsRefused or SmsUnreachable.
    """

    def request(self, wanted: FindSms | RequestEnclaveChallenge) -> None:
        """Start a request. Do nothing while the same one is in flight."""


class CommandState(Enum):
    """The states of a chain adapter's command."""

    RECEIVED = "RECEIVED"
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


@dataclass(frozen=True, slots=True)
class CommandQuery:
    """Filters of the chain adapter's commands; an empty value matches every command."""

    state: CommandState | None = None
    task_id: str = ""


@dataclass(frozen=True, slots=True)
class TransactionCommand:
    """A command of the chain adapter with its last transaction.

    `task_id` is the hash of the order for a cancellation. `kind` and `state` are names, which a later release may add
    to. `transaction` is empty before it is sent, `block` 0 before it is mined; `reason` and `message` are empty unless
    it failed. Dates are Unix seconds.
    """

    task_id: str
    kind: str
    state: str
    transaction: str
    block: int
    gas_used: int
    reason: str
    message: str
    created_at: float
    updated_at: float
    attempts: int


@dataclass(frozen=True, slots=True)
class CommandPage:
    """One page of commands, newest first, and the token of the next page, which is empty at the end."""

    commands: list[TransactionCommand]
    next_token: str


@dataclass(frozen=True, slots=True)
class WalletState:
    """The wallet that signs the pool's transactions.

    `transactions_left` is the number of transactions that its balance pays for, None when gas is free. `parked_reason`
    is why it sends nothing, empty while it sends.
    """

    address: str
    balance_wei: int
    mined_nonce: int
    next_nonce: int
    in_flight: int
    oldest_unmined_s: float
    transactions_left: int | None
    parked_reason: str
    replacements: int
    gas_price_wei: int
    chain_shape: str


class TransactionJournal(Protocol):
    """The chain adapter's journal for operators. Every method raises AdapterUnavailable when it fails to answer."""

    async def commands(self, query: CommandQuery, page_token: str, size: int) -> CommandPage:
        """Read one page of commands, newest first. Also raises BadPageToken."""

    async def wallet(self) -> WalletState:
        """Read the state of the wallet."""

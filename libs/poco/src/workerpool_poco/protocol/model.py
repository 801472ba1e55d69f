"""The contracts' state as frozen values. Times are Unix seconds, prices nRLC, hashes and digests bytes."""

import math
from dataclasses import dataclass, field

from workerpool_poco.protocol.deadlines import final_deadline
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, DealId, TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus


@dataclass(frozen=True, slots=True)
class Resource:
    """An app, dataset or workerpool of a deal: its address (`pointer`), its owner then and its price per task."""

    pointer: Address
    owner: Address
    price: int


@dataclass(frozen=True, slots=True)
class Deal:
    """A match of orders (`viewDeal`): `bot_size` tasks, the first of index `bot_first`."""

    deal_id: DealId
    app: Resource
    dataset: Resource
    workerpool: Resource
    trust: int
    category: int
    tag: bytes
    requester: Address
    beneficiary: Address
    callback: Address
    params: str
    start_time: int
    bot_first: int
    bot_size: int
    worker_stake: int
    scheduler_reward_ratio: int
    sponsor: Address

    @property
    def exists(self) -> bool:
        """Whether the contract knows the deal; `viewDeal` returns zeros for an unknown id."""
        return self.start_time > 0

    @property
    def has_dataset(self) -> bool:
        """Whether the deal names a dataset."""
        return self.dataset.pointer != ZERO_ADDRESS

    @property
    def has_callback(self) -> bool:
        """Whether the deal names a callback contract for the result."""
        return self.callback != ZERO_ADDRESS

    @property
    def task_indexes(self) -> range:
        """The indexes of the deal's tasks."""
        return range(self.bot_first, self.bot_first + self.bot_size)

    def final_deadline(self, category_time: int) -> int:
        """Return the final deadline of the deal's tasks, in Unix seconds."""
        return final_deadline(self.start_time, category_time)


@dataclass(frozen=True, slots=True)
class ChainTask:
    """The contract's state of a task (`viewTask`); all zeros while UNSET."""

    task_id: TaskId
    status: ChainTaskStatus
    deal_id: DealId
    index: int
    category_time: int
    contribution_deadline: int
    reveal_deadline: int
    final_deadline: int
    consensus_value: bytes
    reveal_counter: int
    winner_counter: int
    contributors: tuple[Address, ...]
    result_digest: bytes
    results: bytes
    results_timestamp: int
    results_callback: bytes


@dataclass(frozen=True, slots=True)
class Contribution:
    """A worker's contribution (`viewContribution`); `weight` is the contract's log2 of the weight."""

    status: ContributionStatus
    result_hash: bytes
    result_seal: bytes
    enclave_challenge: Address
    weight: int


@dataclass(frozen=True, slots=True)
class Category:
    """A category of tasks by duration; `work_clock_time_ref` is its reference time in seconds."""

    category_id: int
    name: str
    description: str
    work_clock_time_ref: int


@dataclass(frozen=True, slots=True)
class App:
    """A registered application; `multiaddr` is the Docker image in the owner's spelling."""

    address: Address
    owner: Address
    name: str
    type: str
    multiaddr: str
    checksum: bytes
    mrenclave: bytes


@dataclass(frozen=True, slots=True)
class Dataset:
    """A registered dataset; `multiaddr` is a URL or an IPFS multiaddress."""

    address: Address
    owner: Address
    name: str
    multiaddr: str
    checksum: bytes


@dataclass(frozen=True, slots=True)
class Workerpool:
    """A registered workerpool; the ratios are percentages."""

    address: Address
    owner: Address
    description: str
    worker_stake_ratio: int
    scheduler_reward_ratio: int


@dataclass(frozen=True, slots=True)
class Account:
    """An owner's balance in the hub, in nRLC: free (`stake`) and locked."""

    stake: int
    locked: int


REORGANISATION_BLOCKS = 64
"""Blocks this deep below the newest one count as final; a reorganisation may replace those above."""
REORGANISATION_S = 300
"""Seconds of blocks that a reorganisation may replace at least: 64 blocks of a fast chain are only 16 s."""


def reorganisation_blocks(block_time_s: float) -> int:
    """Return the depth in blocks from which a block counts as final, on a chain with this time between blocks."""
    return max(REORGANISATION_BLOCKS, math.ceil(REORGANISATION_S / block_time_s))


@dataclass(frozen=True, slots=True)
class Block:
    """A block header; `timestamp` is in Unix seconds."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    logs_bloom: bytes = field(default=b"", repr=False, compare=False)
    """The Bloom filter of the block's logs, 256 bytes; empty when the node omits it."""
    gas_limit: int = field(default=0, repr=False, compare=False)
    """The most gas of its transactions together; 0 when the node omits it."""

"""The hub's events as frozen values, decoded from logs. Hashes and digests are bytes, addresses checksummed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.ids import (
    Address,
    DealId,
    Hex,
    TaskId,
    address,
    address_bytes,
    from_hex,
    to_hex,
)


@dataclass(frozen=True, slots=True)
class LogPosition:
    """The position of a log: block, transaction and index; `removed` after a reorganisation."""

    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int
    emitter: Address
    removed: bool = False


@dataclass(frozen=True, slots=True)
class SchedulerNotice:
    """A deal was made with a workerpool; the event by which a scheduler finds work."""

    workerpool: Address
    deal_id: DealId
    position: LogPosition


@dataclass(frozen=True, slots=True)
class OrdersMatched:
    """Orders were matched to a deal of `volume` tasks."""

    deal_id: DealId
    app_hash: bytes
    dataset_hash: bytes
    workerpool_hash: bytes
    request_hash: bytes
    volume: int
    position: LogPosition


@dataclass(frozen=True, slots=True)
class TaskInitialize:
    """A task became ACTIVE."""

    task_id: TaskId
    workerpool: Address
    position: LogPosition


@dataclass(frozen=True, slots=True)
class TaskContribute:
    """A worker committed to a result hash."""

    task_id: TaskId
    worker: Address
    result_hash: bytes
    position: LogPosition


@dataclass(frozen=True, slots=True)
class TaskConsensus:
    """A result hash reached consensus; the task is REVEALING."""

    task_id: TaskId
    consensus: bytes
    position: LogPosition


@dataclass(frozen=True, slots=True)
class TaskReveal:
    """A winner revealed its digest."""

    task_id: TaskId
    worker: Address
    digest: bytes
    position: LogPosition


@dataclass(frozen=True, slots=True)
class TaskReopen:
    """No worker revealed before the deadline; the task is ACTIVE again."""

    task_id: TaskId
    position: LogPosition


@dataclass(frozen=True, slots=True)
class TaskFinalize:
    """The task is COMPLETED; `results` is the result link as bytes."""

    task_id: TaskId
    results: bytes
    position: LogPosition


@dataclass(frozen=True, slots=True)
class TaskClaimed:
    """The task failed; its requester was refunded."""

    task_id: TaskId
    position: LogPosition


@dataclass(frozen=True, slots=True)
class AccurateContribution:
    """`finalize` found a worker's contribution to agree with the consensus."""

    worker: Address
    task_id: TaskId
    position: LogPosition


@dataclass(frozen=True, slots=True)
class FaultyContribution:
    """`finalize` found a worker's contribution to differ from the consensus or unrevealed; its stake is seized."""

    worker: Address
    task_id: TaskId
    position: LogPosition


@dataclass(frozen=True, slots=True)
class Reward:
    """`amount` nRLC was paid to an account; `ref` is the task."""

    owner: Address
    amount: int
    ref: TaskId
    position: LogPosition


@dataclass(frozen=True, slots=True)
class Seize:
    """`amount` nRLC of locked stake was seized from an account; `ref` is the task."""

    owner: Address
    amount: int
    ref: TaskId
    position: LogPosition


@dataclass(frozen=True, slots=True)
class Lock:
    """`amount` nRLC of an account was locked."""

    owner: Address
    amount: int
    position: LogPosition


@dataclass(frozen=True, slots=True)
class Unlock:
    """`amount` nRLC of an account was unlocked."""

    owner: Address
    amount: int
    position: LogPosition


@dataclass(frozen=True, slots=True)
class Transfer:
    """`value` nRLC of stake moved; the zero address stands for a deposit or a withdrawal."""

    sender: Address
    receiver: Address
    value: int
    position: LogPosition


HubEvent: TypeAlias = (
    SchedulerNotice
    | OrdersMatched
    | TaskInitialize
    | TaskContribute
    | TaskConsensus
    | TaskReveal
    | TaskReopen
    | TaskFinalize
    | TaskClaimed
    | AccurateContribution
    | FaultyContribution
    | Reward
    | Seize
    | Lock
    | Unlock
    | Transfer
)

EVENT_TYPES: tuple[type[HubEvent], ...] = (
    SchedulerNotice,
    OrdersMatched,
    TaskInitialize,
    TaskContribute,
    TaskConsensus,
    TaskReveal,
    TaskReopen,
    TaskFinalize,
    TaskClaimed,
    AccurateContribution,
    FaultyContribution,
    Reward,
    Seize,
    Lock,
    Unlock,
    Transfer,
)

_BY_TOPIC = {abi.HUB.events[kind.__name__].topic: kind for kind in EVENT_TYPES}


def topic_of(kind: type[HubEvent]) -> bytes:
    """Return the first topic of an event's logs (32 bytes)."""
    return abi.HUB.events[kind.__name__].topic


def topic_word(value: Address) -> Hex:
    """Return an address as the 32-byte word of a log's topics."""
    return to_hex(address_bytes(value).rjust(32, b"\0"))


def _log_position(log: Mapping[str, Any]) -> LogPosition:
    """Return the position of a JSON-RPC log."""
    return LogPosition(
        block_number=int(log["blockNumber"], 16),
        block_hash=from_hex(log["blockHash"]),
        transaction_hash=from_hex(log["transactionHash"]),
        log_index=int(log["logIndex"], 16),
        emitter=address(log["address"]),
        removed=bool(log.get("removed", False)),
    )


_IDS = frozenset({"dealid", "taskid", "ref"})
"""Parameters that hold the id of a deal or task."""


def decode_log(log: Mapping[str, Any]) -> HubEvent | None:
    """Return the event in a JSON-RPC log; None for an unknown event.

    Raises `MalformedAnswer` when a known event does not decode.
    """
    topics = [from_hex(topic) for topic in log["topics"]]
    kind = _BY_TOPIC.get(topics[0]) if topics else None
    if kind is None:
        return None
    event = abi.HUB.events[kind.__name__]
    values: list[Any] = [
        to_hex(value) if parameter.name in _IDS else value
        for parameter, value in zip(
            event.parameters, event.decode(topics, from_hex(log["data"])), strict=True
        )
    ]
    build: Callable[..., HubEvent] = kind
    return build(*values, _log_position(log))

"""The protocol's transactions as values: calldata, target and value."""

from collections.abc import Sequence
from dataclasses import dataclass

from workerpool_poco.protocol.contracts import abi
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, DealId, TaskId, bytes32
from workerpool_poco.protocol.orders import (
    NO_DATASET,
    AppOrder,
    DatasetOrder,
    RequestOrder,
    WorkerpoolOrder,
)

_WEI_OF_NRLC = 10**9
_CLOSE = 1
"""The operation of IexecLibOrders_v5 `OrderOperationEnum` that ends an order; 0 signs it on chain."""


@dataclass(frozen=True, slots=True)
class Call:
    """The content of a transaction; `to` None means the hub, `value` is in wei."""

    data: bytes
    to: Address | None = None
    value: int = 0


def initialize(deal_id: DealId, index: int) -> Call:
    """Make a task ACTIVE; any wallet may send it."""
    return Call(abi.HUB.encode("initialize", bytes32(deal_id), index))


def initialize_array(tasks: Sequence[tuple[DealId, int]]) -> Call:
    """Make many tasks ACTIVE, each given as (deal id, index); the failure of one reverts all."""
    deals, indexes = [bytes32(deal) for deal, _ in tasks], [index for _, index in tasks]
    return Call(abi.HUB.encode("initializeArray", deals, indexes))


def contribute(
    task_id: TaskId,
    result_hash: bytes,
    result_seal: bytes,
    authorization_sign: bytes,
    *,
    enclave_challenge: Address = ZERO_ADDRESS,
    enclave_sign: bytes = b"",
) -> Call:
    """Commit to a result; the sender is the worker, whose stake must be in the hub."""
    return Call(
        abi.HUB.encode(
            "contribute",
            bytes32(task_id),
            result_hash,
            result_seal,
            enclave_challenge,
            enclave_sign,
            authorization_sign,
        )
    )


def reveal(task_id: TaskId, digest: bytes) -> Call:
    """Reveal the digest of a winning contribution."""
    return Call(abi.HUB.encode("reveal", bytes32(task_id), digest))


def finalize(task_id: TaskId, results: bytes, callback_data: bytes = b"") -> Call:
    """Complete a task; the sender must own the workerpool.

    An estimate omits the gas that the hub grants a callback contract (`HubClient.callback_gas`), because the hub
    ignores a failure of the callback.
    """
    return Call(abi.HUB.encode("finalize", bytes32(task_id), results, callback_data))


def contribute_and_finalize(
    task_id: TaskId,
    digest: bytes,
    results: bytes,
    authorization_sign: bytes,
    *,
    callback_data: bytes = b"",
    enclave_challenge: Address = ZERO_ADDRESS,
    enclave_sign: bytes = b"",
) -> Call:
    """Contribute, reveal and finalize in one transaction: only at trust 1, for a task without contributions."""
    data = abi.HUB.encode(
        "contributeAndFinalize",
        bytes32(task_id),
        digest,
        results,
        callback_data,
        enclave_challenge,
        enclave_sign,
        authorization_sign,
    )
    return Call(data)


def reopen(task_id: TaskId) -> Call:
    """Make a REVEALING task ACTIVE again after its reveal deadline; refused once a worker has revealed."""
    return Call(abi.HUB.encode("reopen", bytes32(task_id)))


def claim(task_id: TaskId) -> Call:
    """Refund the requester of a task that is not completed at its final deadline."""
    return Call(abi.HUB.encode("claim", bytes32(task_id)))


def claim_array(task_ids: Sequence[TaskId]) -> Call:
    """Claim many tasks; the failure of one reverts all."""
    return Call(abi.HUB.encode("claimArray", [bytes32(item) for item in task_ids]))


def initialize_and_claim_array(tasks: Sequence[tuple[DealId, int]]) -> Call:
    """Claim many tasks that were never initialized, each given as (deal id, index); the failure of one reverts all."""
    deals, indexes = [bytes32(deal) for deal, _ in tasks], [index for _, index in tasks]
    return Call(abi.HUB.encode("initializeAndClaimArray", deals, indexes))


def match_orders(
    app: AppOrder,
    workerpool: WorkerpoolOrder,
    request: RequestOrder,
    dataset: DatasetOrder = NO_DATASET,
) -> Call:
    """Match signed orders, which makes a deal."""
    orders = (app, dataset, workerpool, request)
    return Call(abi.HUB.encode("matchOrders", *(order.calldata() for order in orders)))


def cancel_workerpool_order(order: WorkerpoolOrder) -> Call:
    """Close an order, so that no copy of its signature can be matched; the sender must own the workerpool.

    The hub then counts the whole volume as consumed.
    """
    return Call(abi.HUB.encode("manageWorkerpoolOrder", (order.calldata(), _CLOSE, b"")))


def deposit(nrlc: int) -> Call:
    """Move approved RLC tokens into the hub as stake (token flavour)."""
    return Call(abi.HUB.encode("deposit", nrlc))


def approve_and_deposit(token: Address, hub: Address, nrlc: int) -> Call:
    """Move RLC tokens into the hub as stake in one transaction (token flavour)."""
    return Call(abi.RLC.encode("approveAndCall", hub, nrlc, b""), to=token)


def deposit_coins(nrlc: int) -> Call:
    """Move coins of the chain into the hub as stake (native flavour, whose coin is RLC)."""
    return Call(abi.NATIVE_HUB.encode("deposit"), value=nrlc * _WEI_OF_NRLC)


def create_app(
    registry: Address,
    owner: Address,
    name: str,
    image: str,
    *,
    checksum: bytes = bytes(32),
    mrenclave: bytes = b"",
) -> Call:
    """Register a Docker application; the registry refuses equal fields of one owner."""
    arguments = (owner, name, "DOCKER", image.encode(), checksum, mrenclave)
    return Call(abi.APP_REGISTRY.encode("createApp", *arguments), to=registry)


def create_workerpool(registry: Address, owner: Address, description: str) -> Call:
    """Register a workerpool; the registry refuses equal fields of one owner."""
    return Call(abi.WORKERPOOL_REGISTRY.encode("createWorkerpool", owner, description), to=registry)


def change_policy(workerpool: Address, worker_stake_ratio: int, scheduler_reward_ratio: int) -> Call:
    """Set what a workerpool takes of its deals; the sender must own the pool. Deals that were bought keep their terms.

    Args:
        workerpool: the pool's contract.
        worker_stake_ratio: percent of a task's price that a worker locks for it.
        scheduler_reward_ratio: percent of a task's reward that the pool's owner keeps; the workers share the rest.
    """
    data = abi.WORKERPOOL.encode("changePolicy", worker_stake_ratio, scheduler_reward_ratio)
    return Call(data, to=workerpool)

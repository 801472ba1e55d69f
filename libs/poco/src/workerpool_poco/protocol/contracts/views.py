"""The answers of the hub's views as values of the model.

`values` holds the fields of the contract's struct in their order, as `Function.decode` returns them.
"""

from typing import Any

from workerpool_poco.protocol.encoding.multiaddr import readable_multiaddr
from workerpool_poco.protocol.ids import Address, DealId, TaskId, address, parse_deal_id
from workerpool_poco.protocol.model import (
    App,
    ChainTask,
    Contribution,
    Dataset,
    Deal,
    Resource,
    Workerpool,
)
from workerpool_poco.protocol.statuses import ChainTaskStatus, ContributionStatus


def deal(deal_id: DealId, values: tuple[Any, ...]) -> Deal:
    """Return the deal in an answer of `viewDeal`."""
    return Deal(
        deal_id=deal_id,
        app=_resource(values[0]),
        dataset=_resource(values[1]),
        workerpool=_resource(values[2]),
        trust=values[3],
        category=values[4],
        tag=values[5],
        requester=values[6],
        beneficiary=values[7],
        callback=values[8],
        params=values[9],
        start_time=values[10],
        bot_first=values[11],
        bot_size=values[12],
        worker_stake=values[13],
        scheduler_reward_ratio=values[14],
        sponsor=values[15],
    )


def _resource(values: tuple[Any, ...]) -> Resource:
    return Resource(values[0], values[1], values[2])


def task(task_id: TaskId, values: tuple[Any, ...]) -> ChainTask:
    """Return the task in an answer of `viewTask`; raises ValueError for an unknown status."""
    return ChainTask(
        task_id=task_id,
        status=ChainTaskStatus(values[0]),
        deal_id=parse_deal_id(values[1]),
        index=values[2],
        category_time=values[3],
        contribution_deadline=values[4],
        reveal_deadline=values[5],
        final_deadline=values[6],
        consensus_value=values[7],
        reveal_counter=values[8],
        winner_counter=values[9],
        contributors=values[10],
        result_digest=values[11],
        results=values[12],
        results_timestamp=values[13],
        results_callback=values[14],
    )


def contribution(values: tuple[Any, ...]) -> Contribution:
    """Return the contribution in an answer of `viewContribution`; raises ValueError for an unknown status."""
    status, result_hash, seal, challenge, weight = values
    return Contribution(ContributionStatus(status), result_hash, seal, challenge, weight)


def app(entry: Address, values: tuple[Any, ...]) -> App:
    """Return the app in an answer of `viewApp`."""
    owner, name, kind, where, checksum, enclave = values
    return App(address(entry), owner, name, kind, readable_multiaddr(where), checksum, enclave)


def dataset(entry: Address, values: tuple[Any, ...]) -> Dataset:
    """Return the dataset in an answer of `viewDataset`."""
    owner, name, where, checksum = values
    return Dataset(address(entry), owner, name, readable_multiaddr(where), checksum)


def workerpool(entry: Address, values: tuple[Any, ...]) -> Workerpool:
    """Return the workerpool in an answer of `viewWorkerpool`."""
    owner, text, stake, reward = values
    return Workerpool(address(entry), owner, text, stake, reward)

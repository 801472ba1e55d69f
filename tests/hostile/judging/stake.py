"""The stake of the pool: what was seized, and what any requester could still claim."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from workerpool_devnet.devnet import Devnet
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.contracts.events import Seize
from workerpool_poco.protocol.statuses import ChainTaskStatus

from hostile.deals import BoughtDeal


async def lost_stake(net: Devnet, deals: Sequence[BoughtDeal], honest: dict[str, str]) -> list[str]:
    """Return what the pool and its honest workers lost.

    Nothing is seized until a requester claims a task that is past its final deadline, so a priced task that cannot
    complete any more counts too. `honest` names the wallets of honest workers in lower case.
    """
    owners = {net.accounts["poolOwner"].address.lower(): "the pool", **honest}
    async with HubClient(net.chain.url, net.contracts.hub) as hub:
        found = []
        events: Any = await hub.get_logs(0, await hub.block_number(), kinds=(Seize,))
        for event in events:
            owner = owners.get(event.owner.lower())
            if owner is not None and event.amount:  # a claim of a free task seizes nothing
                found.append(f"{owner} lost {event.amount} nRLC by a seizure")
        priced = [(deal, task_id) for deal in deals if deal.entry.price for task_id in deal.task_ids]
        states = await hub.view_tasks([task_id for _, task_id in priced])
    now = time.time()
    for (deal, _), state in zip(priced, states, strict=True):
        if state.status is ChainTaskStatus.COMPLETED:
            continue
        failed = state.final_deadline and state.final_deadline <= now
        if failed or deal.over:
            found.append(f"deal {deal.number} {deal.entry.name}: its requester can claim the pool's stake")
    return found

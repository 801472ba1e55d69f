"""What a wallet earned and lost with its contributions, read from the hub's events."""

import time
from dataclasses import dataclass, field

from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import LogRangeTooLarge
from workerpool_poco.protocol.contracts.events import Reward, Seize
from workerpool_poco.protocol.ids import Address, TaskId

_FIRST_RANGE = 50_000


@dataclass(slots=True)
class Earnings:
    """Rewards and seized stakes in nRLC, from the block `since` on.

    `tasks` are the tasks that paid the wallet, `faults` those that cost it its stake.
    """

    since: int
    earned: int = 0
    seized: int = 0
    tasks: set[TaskId] = field(default_factory=set)
    faults: set[TaskId] = field(default_factory=set)


async def read_earnings(
    hub: HubClient, wallet: Address, *, first: int, last: int, limit_s: float
) -> Earnings:
    """Read the earnings of the blocks from `first` to `last`, the newest first, as far back as `limit_s` allows.

    Raises PocoError.
    """
    deadline = time.monotonic() + limit_s
    found, size = Earnings(last + 1), _FIRST_RANGE
    while found.since > first and time.monotonic() < deadline:
        start = max(found.since - size, first)
        try:
            await _add_range(hub, wallet, start, found.since - 1, found)
        except LogRangeTooLarge:
            refused = found.since - start
            if refused == 1:
                raise
            size = max(refused // 4, 1)
    return found


async def _add_range(hub: HubClient, wallet: Address, start: int, end: int, found: Earnings) -> None:
    # The hub emits AccurateContribution only for tasks with several contributors, and does not index Reward.
    for event in await hub.get_logs(start, end, kinds=(Reward, Seize)):
        if isinstance(event, Reward) and event.owner == wallet:
            found.tasks.add(event.ref)
            found.earned += event.amount
        elif isinstance(event, Seize) and event.owner == wallet:
            found.faults.add(event.ref)
            found.seized += event.amount
    found.since = start

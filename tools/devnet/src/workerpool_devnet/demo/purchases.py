"""The purchases of the demo: a bag of three tasks with trust 1, and one task with trust 5."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import TaskId

from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.accounts import RLC
from workerpool_devnet.market.trading import Purchase

APP_PRICE = RLC // 10
"""nRLC per task for the owner of the app."""
POOL_PRICE = RLC
"""nRLC per task for the pool; its workers lock 30 % of it as stake."""
BAG_SIZE = 3
HIGH_TRUST = 5
"""At this trust three workers without history must agree."""


@dataclass(frozen=True)
class BoughtTask:
    """One task of a matched deal; `matched_at` is the time in Unix seconds when the match was mined."""

    task_id: TaskId
    label: str
    trust: int
    deal_block: int
    matched_at: float


def buy(net: Devnet, image: str, documents: tuple[str, ...]) -> list[BoughtTask]:
    """Create the app of the demo, sign all orders and match both deals; block until mined."""
    requester, pool_owner = net.account("requester"), net.account("poolOwner")
    app = net.market.create_app(requester, f"analysis {secrets.token_hex(4)}", image)

    def purchase(arguments: str, volume: int, trust: int) -> Purchase:
        return Purchase(
            requester=requester,
            app=app,
            app_owner=requester,
            workerpool=net.workerpool,
            pool_owner=pool_owner,
            params=DealParams(args=arguments, input_files=documents),
            volume=volume,
            trust=trust,
            app_price=APP_PRICE,
            workerpool_price=POOL_PRICE,
        )

    wanted = [purchase("one", BAG_SIZE, 1), purchase("all", 1, HIGH_TRUST)]
    deals = net.market.buy(*wanted)
    matched_at = time.time()
    return [
        BoughtTask(task_id, label, asked.trust, deal.block_number, matched_at)
        for asked, deal, name in zip(wanted, deals, ("bag", "trust 5"), strict=True)
        for number, task_id in enumerate(deal.task_ids, start=1)
        for label in [f"{name} {number}/{asked.volume}" if asked.volume > 1 else name]
    ]

"""A wallet with stake on the real contracts, whose pool answers and whose worker need not run."""

from dataclasses import dataclass

from workerpool_devnet.market.trading import Deal, Purchase
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.chain.wallet import Wallet
from workerpool_worker.cli.stake import Moved, move
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.doubles.core_peer import CorePeer


@dataclass
class Staker:
    """A wallet with RLC and stake, and the settings of its worker."""

    chain: PocoChain
    hub: HubClient
    core: CorePeer
    wallet: Wallet
    settings: WorkerSettings

    async def move(self, nrlc: int, *, deposit: bool) -> tuple[Moved, list[str]]:
        """Deposit or withdraw, and return what was moved and what was said."""
        said: list[str] = []
        return await move(self.settings, nrlc, deposit=deposit, say=said.append), said

    async def stake(self) -> int:
        return (await self.hub.view_account(self.wallet.address)).stake

    def buy(self, price: int, volume: int) -> Deal:
        """Buy tasks of the pool at a price in nRLC each. Blocks."""
        market, requester = self.chain.market, self.chain.account("requester")
        purchase = Purchase(
            requester=requester,
            app=market.create_app(requester, "app of the command tests", "app:1"),
            app_owner=requester,
            workerpool=self.settings.pool_address,
            pool_owner=self.chain.account("poolOwner"),
            workerpool_price=price,
            volume=volume,
        )
        return market.buy(purchase)[0]

"""The terms of a deal: a dataset is never dropped."""

from dataclasses import dataclass, replace

import pytest
from workerpool_core.app.chain.deals import DealReader
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, DealId, address
from workerpool_poco.protocol.model import App, Category, Dataset, Deal, Resource

POOL = address("0x" + "11" * 20)
DATASET = address("0x" + "22" * 20)
OTHER = address("0x" + "33" * 20)
DEAL_ID = DealId("0x" + "44" * 32)


@dataclass
class Hub:
    """Implements the `DealSource` port for one deal."""

    dataset: Dataset | None

    async def view_deal(self, deal_id: DealId, /) -> Deal:
        pointer = self.dataset.address if self.dataset else ZERO_ADDRESS
        return Deal(
            deal_id=deal_id,
            app=Resource(OTHER, OTHER, 0),
            dataset=Resource(pointer, OTHER, 0),
            workerpool=Resource(POOL, OTHER, 0),
            trust=1,
            category=0,
            tag=bytes(32),
            requester=OTHER,
            beneficiary=OTHER,
            callback=ZERO_ADDRESS,
            params="",
            start_time=1,
            bot_first=0,
            bot_size=1,
            worker_stake=0,
            scheduler_reward_ratio=0,
            sponsor=OTHER,
        )

    async def view_app(self, app: Address, /) -> App:
        return App(app, OTHER, "app", "DOCKER", "app:1", bytes(32), b"")

    async def view_dataset(self, dataset: Address, /) -> Dataset:
        assert self.dataset is not None
        return self.dataset

    async def view_category(self, category_id: int, /) -> Category:
        return Category(0, "XS", "", 300)

    async def contribution_deadline_ratio(self) -> int:
        return 7


@pytest.mark.parametrize("uri", ["/ipfs/Qm1", ""])
@pytest.mark.parametrize("checksum", [bytes(32), b"\x01" * 32], ids=["zero", "given"])
async def test_data_no_checksum_a_dataset_reaches_the_worker(uri: str, checksum: bytes) -> None:
    """The worker refuses a dataset without URI or checksum by name. Without it, the app would run without data."""
    dataset = Dataset(DATASET, OTHER, "data", uri, checksum)
    terms = await DealReader(Hub(dataset), POOL).read(DEAL_ID, 1)
    assert (terms.dataset_address, terms.dataset_uri) == (DATASET, uri)
    assert terms.dataset_checksum == "0x" + checksum.hex()


@pytest.mark.parametrize("priced", [None, "app", "dataset", "workerpool"])
async def test_a_deal_without_any_price_is_free(priced: str | None) -> None:
    class Priced(Hub):
        async def view_deal(self, deal_id: DealId, /) -> Deal:
            deal = await super().view_deal(deal_id)
            free = {name: replace(getattr(deal, name), price=0) for name in ("app", "dataset", "workerpool")}
            deal = replace(deal, **free)
            return replace(deal, **{priced: replace(getattr(deal, priced), price=1)}) if priced else deal

    terms = await DealReader(Priced(None), POOL).read(DEAL_ID, 1)
    assert terms.free is (priced is None)


async def test_the_zero_address_is_no_dataset() -> None:
    terms = await DealReader(Hub(None), POOL).read(DEAL_ID, 1)
    assert (terms.dataset_address, terms.dataset_uri, terms.dataset_checksum) == (ZERO_ADDRESS, "", "")

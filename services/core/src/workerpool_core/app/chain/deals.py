"""Reads everything that a deal says of its tasks from the chain."""

from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.deadlines import task_deadlines
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import ZERO_ADDRESS, Address, DealId, to_hex
from workerpool_poco.protocol.model import Deal

from workerpool_core.app.ports import DealSource
from workerpool_core.domain.model import DealTerms

_LARGEST_TRUST = 2**62
"""No pool has workers enough for more, and the database's integers end soon after."""
_LARGEST_INDEX = 2**32 - 1
_LONGEST_TEXTS = 1_000_000
"""Characters of everything that a requester wrote into a deal; more fits no message and no document."""


class DealNotVisible(PocoError):
    """The node does not know a deal whose notice it has shown: another node of the same provider lags behind."""


class DealRefused(Exception):
    """The deal is none of ours, or no scheduler of this protocol could take it; the message says why."""


class DealReader:
    """Reads deals of one pool. The chain's constants are read once."""

    def __init__(self, hub: DealSource, pool: Address) -> None:
        self._hub = hub
        self._pool = pool
        self._deadline_ratio: int | None = None

    async def read(self, deal_id: DealId, block: int) -> DealTerms:
        """Return a deal's terms.

        Raises DealRefused when it belongs to another pool or cannot be taken, PocoError when the node does not
        tell (`DealNotVisible` when it does not know the deal yet).
        """
        deal = await self._hub.view_deal(deal_id)
        if not deal.exists:
            raise DealNotVisible(f"the node does not know deal {deal_id} yet")
        if deal.workerpool.pointer != self._pool:
            raise DealRefused("it belongs to another pool")
        if deal.bot_size == 0 or deal.bot_first + deal.bot_size - 1 > _LARGEST_INDEX:
            raise DealRefused("it has no tasks, or task indexes past 2^32")
        if len(deal.params) > _LONGEST_TEXTS:
            raise DealRefused("its params are too long")
        if self._deadline_ratio is None:
            self._deadline_ratio = await self._hub.contribution_deadline_ratio()
        app = await self._hub.view_app(deal.app.pointer)
        category = await self._hub.view_category(deal.category)
        uri, checksum = await self._dataset(deal)
        params = DealParams.parse(deal.params)
        time = category.work_clock_time_ref
        deadlines = task_deadlines(deal.start_time, time, self._deadline_ratio)
        return DealTerms(
            deal_id=deal_id,
            block=block,
            app_address=deal.app.pointer,
            app_uri=_clean(app.multiaddr),
            command_line=_clean(params.args),
            input_files=tuple(map(_clean, params.input_files)),
            dataset_address=deal.dataset.pointer if uri else ZERO_ADDRESS,
            dataset_uri=uri,
            dataset_checksum=checksum,
            trust=min(max(deal.trust, 1), _LARGEST_TRUST),
            category=deal.category,
            max_execution_s=time,
            tag=to_hex(deal.tag),
            requester=deal.requester,
            beneficiary=deal.beneficiary,
            callback=deal.callback,
            bot_first=deal.bot_first,
            bot_size=deal.bot_size,
            worker_stake=deal.worker_stake,
            start_time=float(deal.start_time),
            contribution_deadline=float(deadlines.contribution),
            final_deadline=float(deadlines.final),
            storage_provider=_clean(params.result_storage_provider),
            storage_proxy=_clean(params.result_storage_proxy),
            result_encryption=params.result_encryption,
            secrets=tuple((_clean(key), _clean(name)) for key, name in params.secrets.items()),
        )

    async def _dataset(self, deal: Deal) -> tuple[str, str]:
        """Return URI and checksum of the deal's dataset; both empty unless it has all three (core spec §7)."""
        if not deal.has_dataset:
            return "", ""
        dataset = await self._hub.view_dataset(deal.dataset.pointer)
        if not dataset.multiaddr or not any(dataset.checksum):
            return "", ""
        return _clean(dataset.multiaddr), to_hex(dataset.checksum)


def _clean(text: str) -> str:
    """Return the text without lone surrogates, which JSON may spell but neither database nor protobuf can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")

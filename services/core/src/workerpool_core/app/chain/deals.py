"""Reads the terms of a deal from the chain."""

from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.deadlines import task_deadlines
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import Address, DealId, to_hex
from workerpool_poco.protocol.model import Deal

from workerpool_core.app.ports import DealSource
from workerpool_core.domain.model import DealTerms

_MAX_TRUST = 2**62
"""Above the number of workers of any pool, and below the largest integer of the database."""
_MAX_INDEX = 2**32 - 1
_MAX_PARAMS_LENGTH = 1_000_000
"""Most characters of a requester's deal parameters; longer ones exceed messages and documents."""


class DealNotVisible(PocoError):
    """The node does not know a deal whose notice it returned: a node of the provider lags."""


class DealRefused(Exception):
    """The deal belongs to another pool, or no scheduler of this protocol can run it, as the message says."""


class DealReader:
    """The reader of one pool's deals; it reads the chain's constants once."""

    def __init__(self, hub: DealSource, pool: Address) -> None:
        self._hub = hub
        self._pool = pool
        self._deadline_ratio: int | None = None

    async def read(self, deal_id: DealId, block: int) -> DealTerms:
        """Return the terms of a deal whose notice is in `block`.

        Raises DealRefused when the deal belongs to another pool or cannot run, DealNotVisible when the node does not
        know it yet, and other errors of PocoError when the node fails to answer.
        """
        deal = await self._hub.view_deal(deal_id)
        if not deal.exists:
            raise DealNotVisible(f"the node does not know deal {deal_id} yet")
        if deal.workerpool.pointer != self._pool:
            raise DealRefused("it belongs to another pool")
        if deal.bot_size == 0 or deal.bot_first + deal.bot_size - 1 > _MAX_INDEX:
            raise DealRefused("it has no tasks, or task indexes past 2^32")
        if len(deal.params) > _MAX_PARAMS_LENGTH:
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
            dataset_address=deal.dataset.pointer,
            dataset_uri=uri,
            dataset_checksum=checksum,
            trust=min(max(deal.trust, 1), _MAX_TRUST),
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
            free=not (deal.app.price or deal.dataset.price or deal.workerpool.price),
            secrets=tuple((_clean(key), _clean(name)) for key, name in params.secrets.items()),
        )

    async def _dataset(self, deal: Deal) -> tuple[str, str]:
        """Return URI and checksum of the deal's dataset, both empty for a deal without one.

        A dataset may have neither. The worker then refuses the task, instead of running the app without the data that
        the requester bought.
        """
        if not deal.has_dataset:
            return "", ""
        dataset = await self._hub.view_dataset(deal.dataset.pointer)
        return _clean(dataset.multiaddr), to_hex(dataset.checksum)


def _clean(text: str) -> str:
    """Return the text without lone surrogates, which JSON can express but neither MongoDB nor protobuf can store."""
    return text.encode("utf-8", "replace").decode("utf-8")

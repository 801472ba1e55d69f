"""The deal service for requesters and operators."""

from typing import Any

from workerpool_kit.access.authenticators import ANYONE
from workerpool_poco.protocol.ids import DealId
from workerpool_protocol.core.v1 import deal_service_pb2 as pb
from workerpool_protocol.core.v1.deal_service_pb2_grpc import DealServiceServicer

from workerpool_core.api.pages import fit_page
from workerpool_core.api.reason_messages import reason_message
from workerpool_core.api.times import timestamp
from workerpool_core.app.queries.deal_queries import CountedReason, DealView, page_token_after
from workerpool_core.app.running import Core

NAME = "workerpool.core.v1.DealService"
POLICY = {f"/{NAME}/{method}": frozenset({ANYONE}) for method in ("GetDeal", "ListDeals")}
"""Every method is open to every caller, because deals are public on chain."""

_DEFAULT_PAGE = 50


class DealServicer(DealServiceServicer):
    """The service that deal_service.proto documents."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def GetDeal(self, request: pb.GetDealRequest, context: Any) -> pb.GetDealResponse:
        """Return one deal, with the reasons of its tasks that wait or failed."""
        core, deal_id = self._core.running, DealId(request.deal_id)
        found = await core.deals.deal(deal_id)
        reasons = await core.deals.reasons(deal_id, core.explain())
        return pb.GetDealResponse(deal=_deal(found), reasons=fit_page(map(_counted_reason, reasons)))

    async def ListDeals(self, request: pb.ListDealsRequest, context: Any) -> pb.ListDealsResponse:
        """Return one page of deals, newest first."""
        size = request.page_size or _DEFAULT_PAGE
        page, token = await self._core.running.deals.deals(request.requester, request.page_token, size)
        deals = fit_page(map(_deal, page))
        if len(deals) < len(page):
            token = page_token_after(page[len(deals) - 1].terms)
        return pb.ListDealsResponse(deals=deals, next_page_token=token)


def _deal(view: DealView) -> pb.Deal:
    terms = view.terms
    return pb.Deal(
        deal_id=terms.deal_id,
        block=terms.block,
        start_time=timestamp(terms.start_time),
        requester=terms.requester,
        beneficiary=terms.beneficiary,
        app_address=terms.app_address,
        app_uri=terms.app_uri,
        dataset_address=terms.dataset_address,
        callback=terms.callback,
        command_line=terms.command_line,
        tag=terms.tag,
        trust=terms.trust,
        category=terms.category,
        max_execution_seconds=terms.max_execution_s,
        bot_first=terms.bot_first,
        bot_size=terms.bot_size,
        worker_stake=terms.worker_stake,
        free=terms.free,
        contribution_deadline=timestamp(terms.contribution_deadline),
        final_deadline=timestamp(terms.final_deadline),
        tasks_by_status={status.value: count for status, count in view.tasks.items()},
        queued_tasks=view.queued,
    )


def _counted_reason(counted: CountedReason) -> pb.CountedReason:
    return pb.CountedReason(
        reason=reason_message(counted.reason), tasks=counted.tasks, task_id=counted.task_id
    )

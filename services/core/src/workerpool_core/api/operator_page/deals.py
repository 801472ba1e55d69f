"""Deals: their terms, the progress of their tasks, and why tasks wait or failed."""

import re
from typing import NamedTuple

from starlette.responses import Response
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, address

from workerpool_core.api.operator_page import paging
from workerpool_core.api.operator_page.formatting import Moment, moment, rlc, short
from workerpool_core.api.operator_page.frame import Frame, Visit
from workerpool_core.api.operator_page.reasons import ShownReason, shown
from workerpool_core.app.queries.deal_queries import DealView
from workerpool_core.app.running import Core
from workerpool_core.errors import BadRequest

_DEAL = re.compile("0x[0-9a-f]{64}")
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


class DealRow(NamedTuple):
    """One deal of a list; `counts` lists the number of its tasks by status."""

    deal_id: str
    shown_id: str
    counts: str
    app: str
    trust: int
    requester: str
    bought: Moment | None
    deadline: Moment | None


class ReasonOfTasks(NamedTuple):
    """A reason, the number of tasks with it, and the id of one of them."""

    reason: ShownReason | None
    tasks: int
    task_id: str
    shown_id: str


class Deals:
    """The pages of deals."""

    def __init__(self, frame: Frame, core: Core) -> None:
        self._frame = frame
        self._core = core

    async def list(self, visit: Visit) -> Response:
        """Show one page of deals, newest first. Raises BadRequest or BadPageToken."""
        running = self._core.running
        filters = {"requester": visit.query("requester")}
        if filters["requester"] and not _ADDRESS.fullmatch(filters["requester"]):
            raise BadRequest("the requester's address must be 0x and 40 hexadecimal digits; correct it")
        requester = address(filters["requester"]) if filters["requester"] else ""
        found, token = await running.deals.deals(requester, visit.query("page"), paging.PAGE)
        now = running.clock.now()
        return self._frame.page(
            visit,
            "deals.html",
            rows=[_row(deal, now) for deal in found],
            filters=filters,
            next_page=paging.next_link(filters, token),
            first_page=paging.link(filters) if visit.query("page") else "",
        )

    async def show(self, visit: Visit) -> Response:
        """Show one deal with the reasons of its tasks. Raises UnknownDeal or BadRequest."""
        running, deal_id = self._core.running, DealId(visit.path_part("deal_id").lower())
        if not _DEAL.fullmatch(deal_id):
            raise BadRequest("the deal's id must be 0x and 64 hexadecimal digits; correct it")
        deal = await running.deals.deal(deal_id)
        now = running.clock.now()
        reasons = await running.deals.reasons(deal_id, running.explain())
        return self._frame.page(
            visit,
            "deal.html",
            row=_row(deal, now),
            reasons=[
                ReasonOfTasks(shown(each.reason, now), each.tasks, each.task_id, short(each.task_id))
                for each in reasons
            ],
            facts=_facts(deal, now),
        )


def _row(deal: DealView, now: float) -> DealRow:
    terms = deal.terms
    counts = [
        f"{count} {status.value}" for status, count in sorted(deal.tasks.items(), key=lambda each: -each[1])
    ]
    queued = [f"{deal.queued} queued"] if deal.queued else []
    return DealRow(
        terms.deal_id,
        short(terms.deal_id),
        ", ".join([*counts, *queued]),
        terms.app_uri,
        terms.trust,
        terms.requester,
        moment(terms.start_time, now),
        moment(terms.contribution_deadline, now),
    )


def _facts(deal: DealView, now: float) -> list[tuple[str, str | Moment]]:
    terms = deal.terms
    facts: dict[str, str | Moment | None] = {
        "Deal": terms.deal_id,
        "Block": str(terms.block),
        "Bought": moment(terms.start_time, now),
        "Requester": terms.requester,
        "Beneficiary": terms.beneficiary,
        "App": f"{terms.app_uri} ({terms.app_address})",
        "Arguments": terms.command_line or "none",
        "Dataset": terms.dataset_address if terms.dataset_address != ZERO_ADDRESS else "none",
        "Callback": terms.callback if terms.callback != ZERO_ADDRESS else "none",
        "Tasks": f"{terms.bot_size}, from index {terms.bot_first}",
        "Trust": str(terms.trust),
        "Tag": terms.tag,
        "Category": f"{terms.category}, {terms.max_execution_s} s at most",
        "Stake of a worker": "none: the deal is free" if terms.free else rlc(terms.worker_stake),
        "Contribution deadline": moment(terms.contribution_deadline, now),
        "Final deadline": moment(terms.final_deadline, now),
    }
    return [(name, value) for name, value in facts.items() if value is not None]

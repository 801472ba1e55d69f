"""Queries of deals: their tasks by status, and why tasks wait or failed."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import islice

from workerpool_poco.protocol.encoding.json_text import loads_bounded
from workerpool_poco.protocol.ids import DealId, TaskId, address
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.app.engine.engine import Engine
from workerpool_core.app.ports import DealPosition, DealRepository, StoredDeal, TaskQuery, TaskRepository
from workerpool_core.domain.explainer import Explainer
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.model import DealTerms, Task
from workerpool_core.errors import BadPageToken, UnknownDeal

_SAMPLE_SIZE = 500
"""Most live tasks, and most failed tasks, of a deal that are explained: a deal may have a million."""
_MAX_REASONS = 20
_DEAL_ID = re.compile("0x[0-9a-f]{64}")
_MAX_STORED = 2**63


@dataclass(frozen=True, slots=True)
class DealView:
    """A deal with the number of its tasks in each status, and of those that are not created yet."""

    terms: DealTerms
    tasks: dict[TaskStatus, int]
    queued: int


@dataclass(slots=True)
class CountedReason:
    """A reason, the number of tasks with it, and the id of one of them."""

    reason: Explanation
    tasks: int
    task_id: TaskId


class DealQueries:
    """Queries of deals with explanations of their tasks."""

    def __init__(
        self,
        store: DealRepository,
        tasks: TaskRepository,
        engine: Engine,
        wait_visible: Callable[[], Awaitable[None]],
    ) -> None:
        """Create queries; `wait_visible` waits until the store's collections hold what is durable now."""
        self._store = store
        self._tasks = tasks
        self._engine = engine
        self._wait_visible = wait_visible

    async def deals(self, requester: str, page_token: str, size: int) -> tuple[list[DealView], str]:
        """Return one page of deals, newest first, and the token of the next. Raises BadPageToken."""
        await self._wait_visible()
        owner = address(requester) if requester else ""
        found = await self._store.deals(owner, _position(page_token), size + 1)
        page = [self._view(each) for each in found[:size]]
        return page, page_token_after(page[-1].terms) if len(found) > size else ""

    async def deal(self, deal_id: DealId) -> DealView:
        """Return one deal. Raises UnknownDeal."""
        await self._wait_visible()
        stored = await self._store.deal(deal_id)
        if stored is None and (live := self._engine.deals.get(deal_id)) is not None:
            stored = StoredDeal(live.deal.terms, {})
        if stored is None:
            raise UnknownDeal(
                f"core created no task of deal {deal_id}; check the id and the pool. A deal whose tag requires an "
                "enclave and whose trust is above 1 is never served"
            )
        return self._view(stored)

    async def reasons(self, deal_id: DealId, explainer: Explainer) -> list[CountedReason]:
        """Return why tasks of a deal wait or failed, the most frequent reason first."""
        counted: dict[tuple[ReasonCode | None, str], CountedReason] = {}
        for task in [*self._live(deal_id), *await self._failed(deal_id)]:
            reason = explainer.task(task)
            if reason is None:
                continue
            key = (reason.code, reason.cause.value if reason.cause is not None else "")
            known = counted.setdefault(key, CountedReason(reason, 0, task.task_id))
            known.tasks += 1
        return sorted(counted.values(), key=lambda each: -each.tasks)[:_MAX_REASONS]

    def _live(self, deal_id: DealId) -> list[Task]:
        tasks, live = self._engine.tasks, self._engine.deals.get(deal_id)
        if live is not None:
            found = (tasks[task_id] for task_id in live.open)
        else:
            # The deal is dropped at its contribution deadline; its last tasks may still wait for their results.
            found = (task for task in tasks.values() if task.terms.deal_id == deal_id and not task.ended)
        return list(islice(found, _SAMPLE_SIZE))

    async def _failed(self, deal_id: DealId) -> list[Task]:
        query = TaskQuery(statuses=(TaskStatus.FAILED.value,), deal_id=deal_id)
        found = await self._tasks.tasks(query, None, _SAMPLE_SIZE)
        await self._tasks.with_replicates(found)
        return found

    def _view(self, stored: StoredDeal) -> DealView:
        live = self._engine.deals.get(stored.terms.deal_id)
        return DealView(stored.terms, dict(stored.tasks), live.queued if live is not None else 0)


def page_token_after(terms: DealTerms) -> str:
    """Return the token of the page that starts after a deal."""
    return base64.urlsafe_b64encode(f'[{terms.block},"{terms.deal_id}"]'.encode()).decode()


def _position(token: str) -> DealPosition | None:
    if not token:
        return None
    try:
        block, deal_id = loads_bounded(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, binascii.Error):
        block = deal_id = None
    is_number = type(block) is int and abs(block) < _MAX_STORED
    if is_number and isinstance(deal_id, str) and _DEAL_ID.fullmatch(deal_id):
        return DealPosition(block, DealId(deal_id))
    raise BadPageToken("this page token is not from this service; start again without one")

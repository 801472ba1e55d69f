"""Queries of deals, read from the terms of their tasks; synchronous, for the database's thread pool.

A list of deals reads only the keys of an index of tasks, and skips the rest of a large deal, so its cost does not
depend on the size of the deals.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from pymongo.read_concern import ReadConcern
from workerpool_poco.protocol.ids import DealId
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.adapters.mongo.documents import TaskDocument
from workerpool_core.adapters.mongo.records import TERMS
from workerpool_core.app.ports import DealPosition, StoredDeal
from workerpool_core.domain.model import DealTerms

_ORDER = [("terms.block", -1), ("deal_id", 1), ("index", 1)]
_KEYS = {"_id": False, "terms.block": True, "deal_id": True, "index": True}
_OF_DEAL = [("deal_id", 1), ("index", 1)]
"""The index that finds one task of a deal; without a hint the database would try several plans per query."""
_SAME = 200
"""Consecutive keys of one deal after which the search skips the rest of the deal."""
_First = tuple[DealPosition, int]
"""The position of a deal, and the lowest index of its stored tasks."""


def deals(requester: str, after: DealPosition | None, limit: int) -> list[StoredDeal]:
    """Return up to `limit` deals after a position, newest first; only those of `requester` unless it is empty."""
    return _read(list(islice(_firsts(requester, after), limit)))


def deal(deal_id: DealId) -> StoredDeal | None:
    """Return one deal; None when no task of it is stored."""
    tasks = TaskDocument.objects(deal_id=deal_id).order_by("index").hint(_OF_DEAL)
    record = tasks.only("terms").as_pymongo().first()
    return _counted([TERMS.decode(record["terms"])])[0] if record is not None else None


def _tasks() -> Any:
    """Return the collection with the read concern of `LocalQuerySet`."""
    return TaskDocument._get_collection().with_options(read_concern=ReadConcern("local"))


def _firsts(requester: str, after: DealPosition | None) -> Iterator[_First]:
    """Yield the first task of each deal after a position."""
    steps = _steps(after)
    while steps:
        step, same = steps.pop(0), 0
        for record in _keys(requester, step):
            position = DealPosition(record["terms"]["block"], DealId(record["deal_id"]))
            if position == after:
                same += 1
                if same > _SAME:
                    steps = _steps(after)
                    break
                continue
            after, same = position, 0
            yield position, record["index"]


def _keys(requester: str, step: dict[str, Any]) -> Any:
    """Return the index keys of tasks in the order of the list."""
    owned, index = (
        ({"terms.requester": requester}, [("terms.requester", 1), *_ORDER]) if requester else ({}, _ORDER)
    )
    return _tasks().find(owned | step, _KEYS, sort=_ORDER, hint=index, batch_size=500)


def _steps(after: DealPosition | None) -> list[dict[str, Any]]:
    if after is None:
        return [{}]
    return [
        {"terms.block": after.block, "deal_id": {"$gt": after.deal_id}},
        {"terms.block": {"$lt": after.block}},
    ]


def _read(firsts: Sequence[_First]) -> list[StoredDeal]:
    """Return deals by the position of their first tasks."""
    if not firsts:
        return []
    wanted = [{"deal_id": position.deal_id, "index": index} for position, index in firsts]
    found = _tasks().find({"$or": wanted}, {"terms": True}, hint=_OF_DEAL)
    terms = {record["terms"]["deal_id"]: TERMS.decode(record["terms"]) for record in found}
    return _counted([terms[position.deal_id] for position, _ in firsts if position.deal_id in terms])


def _counted(terms: Sequence[DealTerms]) -> list[StoredDeal]:
    """Return deals with the number of their tasks in each status, read from an index only."""
    counts: dict[str, dict[TaskStatus, int]] = {each.deal_id: {} for each in terms}
    pipeline: list[dict[str, Any]] = [
        {"$match": {"deal_id": {"$in": list(counts)}}},
        {"$group": {"_id": {"deal": "$deal_id", "status": "$status"}, "count": {"$sum": 1}}},
    ]
    index = [("deal_id", 1), ("status", 1), ("index", 1)]
    for group in _tasks().aggregate(pipeline, hint=dict(index)):
        counts[group["_id"]["deal"]][TaskStatus(group["_id"]["status"])] = group["count"]
    return [StoredDeal(each, counts[each.deal_id]) for each in terms]

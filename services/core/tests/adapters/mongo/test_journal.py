"""A change as the driver's operation, and how a document that lacks its change is noticed."""

from typing import Any, cast

import pytest
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateMany
from pymongo.collection import Collection
from workerpool_core.adapters.mongo.changes import Change, Kind
from workerpool_core.adapters.mongo.journal import operation, verify
from workerpool_core.errors import StoreDiverged

Bson = dict[str, Any]


class Documents:
    """A collection of documents by id."""

    name = "task"

    def __init__(self, *documents: Bson) -> None:
        self.documents = documents

    def find(self, query: Bson, fields: Bson) -> list[Bson]:
        wanted = query["_id"]["$in"]
        return [document for document in self.documents if document["_id"] in wanted]


def collection(*documents: Bson) -> "Collection[Any]":
    return cast("Collection[Any]", Documents(*documents))


def altered(**more: Any) -> Change:
    return Change("task", "1", Kind.ALTER, expected="RUNNING", first=4, last=6, **more)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            Change("task", "1", Kind.CREATE, {"a": 1}, last=6),
            InsertOne({"_id": "1", "a": 1, "journal": 6}),
        ),
        (
            Change("worker", "1", Kind.PUT, {"a": 1}, last=6),
            ReplaceOne({"_id": "1"}, {"a": 1, "journal": 6}, upsert=True),
        ),
        (Change("command", "1", Kind.REMOVE, last=6), DeleteOne({"_id": "1"})),
        (
            altered(fields={"uploader": "w"}, history=[{"s": "FAILED"}]),
            UpdateMany(
                {"_id": "1", "status": "RUNNING", "journal": {"$lt": 4}},
                {"$set": {"uploader": "w", "journal": 6}, "$push": {"history": {"$each": [{"s": "FAILED"}]}}},
            ),
        ),
        (
            altered(fields={"uploader": "w"}),
            UpdateMany(
                {"_id": "1", "status": "RUNNING", "journal": {"$lt": 4}},
                {"$set": {"uploader": "w", "journal": 6}},
            ),
        ),
    ],
)
def test_each_kind_of_change_is_one_operation(change: Change, expected: Any) -> None:
    assert operation(change) == expected


def test_a_document_that_holds_its_change_passes() -> None:
    verify(collection({"_id": "1", "journal": 6, "status": "FAILED"}), [altered()])
    verify(collection(), [])


@pytest.mark.parametrize("documents", [[], [{"_id": "1", "journal": 5, "status": "FAILED"}]])
def test_a_document_that_lacks_its_change_diverged(documents: list[Bson]) -> None:
    with pytest.raises(StoreDiverged) as diverged:
        verify(collection(*documents), [altered()])
    assert "expected RUNNING" in diverged.value.details["task 1"]

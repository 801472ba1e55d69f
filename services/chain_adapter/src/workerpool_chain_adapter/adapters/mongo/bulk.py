"""Unordered bulk writes of validated documents.

They bypass mongoengine, which inserts in order, stops at the first duplicate, and saves one document per round trip.
"""

from collections.abc import Sequence

import pymongo
from mongoengine import Document
from pymongo.errors import BulkWriteError

from workerpool_chain_adapter.adapters.mongo.documents import checked

_DUPLICATE_KEY = 11000


def insert_new(documents: Sequence[Document]) -> list[int]:
    """Insert documents of one collection in one round trip; return the positions whose id already exists."""
    try:
        documents[0]._get_collection().insert_many([checked(each) for each in documents], ordered=False)
    except BulkWriteError as error:
        problems = error.details["writeErrors"]
        if any(problem["code"] != _DUPLICATE_KEY for problem in problems):
            raise
        return [problem["index"] for problem in problems]
    return []


def replace_all(documents: Sequence[Document]) -> None:
    """Insert or replace documents of one collection in one round trip."""
    writes = [pymongo.ReplaceOne({"_id": each.id}, checked(each), upsert=True) for each in documents]
    documents[0]._get_collection().bulk_write(writes, ordered=False)

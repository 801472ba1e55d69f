"""Changes of documents as values, and their merging, without I/O.

The journal stores changes. `merge(a, b)` returns one change with the effect of `a` followed by `b`, without reading the
database, so a replicate that passes through nine statuses within milliseconds costs one insert.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Bson = dict[str, Any]
"""A document in the driver's form."""


class Kind(Enum):
    """The kind of a change."""

    CREATE = "create"
    """Insert the document, unless it exists."""
    ALTER = "alter"
    """Append to the history of the document and set fields, if it has the expected status."""
    PUT = "put"
    """Insert or replace the document."""
    REMOVE = "remove"
    """Delete the document, if it exists."""


_WORKER_TEXTS = ("result_link", "callback_data", "error_message")


@dataclass(slots=True)
class Change:
    """One change of the document `id` in `collection`.

    `first` and `last` are the numbers of the oldest and newest journal entries merged into it. `exclusive` marks a
    CREATE whose document must not exist, except in a replay.
    """

    collection: str
    id: str
    kind: Kind
    document: Bson = field(default_factory=dict)
    expected: str = ""
    history: list[Bson] = field(default_factory=list)
    fields: Bson = field(default_factory=dict)
    exclusive: bool = False
    first: int = 0
    last: int = 0

    @property
    def estimated_bytes(self) -> int:
        """An upper estimate of the stored size; only texts of requesters, apps and workers can be long."""
        if self.kind is Kind.ALTER:
            # Loops, because almost every change has no text, and generators would cost more than the rest.
            worker_texts = 0
            for name in _WORKER_TEXTS if self.fields else ():
                if name in self.fields:
                    worker_texts += len(self.fields[name])
            for change in self.history:
                if "message" in change:
                    worker_texts += len(change["message"])
            return 300 + 200 * len(self.history) + 3 * worker_texts
        document = self.document
        texts = [document.get("stdout", ""), document.get("stderr", "")]
        if (terms := document.get("terms")) is not None:
            texts += [terms["command_line"], terms["app_uri"], terms["dataset_uri"], *terms["input_files"]]
            texts += [text for pair in terms["secrets"] for text in pair]
        return 1_500 + 3 * sum(map(len, texts))

    def to_bson(self) -> Bson:
        """Return the form that the journal stores, without numbers, because the entry has one."""
        content: Bson = {"c": self.collection, "i": self.id, "k": self.kind.value}
        if self.document:
            content["d"] = self.document
        if self.kind is Kind.ALTER:
            content |= {"e": self.expected, "h": self.history, "f": self.fields}
        if self.exclusive:
            content["x"] = True
        return content

    @classmethod
    def from_bson(cls, content: Bson, number: int) -> "Change":
        """Return the change that `to_bson` stored in journal entry `number`."""
        return cls(
            collection=content["c"],
            id=content["i"],
            kind=Kind(content["k"]),
            document=content.get("d", {}),
            expected=content.get("e", ""),
            history=content.get("h", []),
            fields=content.get("f", {}),
            exclusive=content.get("x", False),
            first=number,
            last=number,
        )


def merge(earlier: Change, later: Change) -> Change:
    """Return one change with the effect of both changes of the same document; may modify its arguments."""
    if later.kind is Kind.CREATE and earlier.kind is not Kind.REMOVE:
        return earlier
    if later.kind is not Kind.ALTER:
        later.first = earlier.first
        return later
    if earlier.kind is Kind.ALTER:
        earlier.history.extend(later.history)
        earlier.fields.update(later.fields)
    elif earlier.kind is Kind.REMOVE:
        raise ValueError(f"{later.collection} {later.id} is changed after its removal")
    else:
        earlier.document["history"] = [*earlier.document.get("history", ()), *later.history]
        earlier.document.update(later.fields)
        # The task that is altered was created in the same batch, so it must not have existed before.
        earlier.exclusive = True
    earlier.last = later.last
    return earlier


def merge_all(changes: list[Change]) -> list[Change]:
    """Merge the changes of each document, in order of first appearance."""
    merged: dict[tuple[str, str], Change] = {}
    for change in changes:
        key = (change.collection, change.id)
        known = merged.get(key)
        merged[key] = change if known is None else merge(known, change)
    return list(merged.values())

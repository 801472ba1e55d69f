"""Bulk processing: the datasets of one task, from the list at the deal's `bulk_cid`.

The list is a JSON array of CIDs, one for each task of the deal; each is that of a JSON array of signed dataset orders.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from workerpool_poco.protocol.encoding.json_text import loads_bounded
from workerpool_poco.protocol.ids import Address
from workerpool_poco.protocol.orders import DatasetOrder

MAX_DATASETS = 1_000
"""Most datasets of one task."""
_CID = re.compile(r"[A-Za-z0-9]{8,128}")


@dataclass(frozen=True, slots=True)
class SessionDataset:
    """A dataset that the pre-compute stage fetches, checks and decrypts."""

    address: Address
    url: str
    checksum: str
    """0x-prefixed SHA-256 of the encrypted file."""
    key: str = field(repr=False)
    """Its key in base64, as stored by the owner."""


def is_cid(text: str) -> bool:
    """Return whether a text can be the id of an IPFS object, and is safe in the path of a gateway."""
    return bool(_CID.fullmatch(text))


def slice_cid(content: str, position: int) -> str | None:
    """Return the CID of the task at `position` of the deal, counted from 0; None without one."""
    cids = _array(content)
    cid = cids[position] if 0 <= position < len(cids) else None
    return cid if isinstance(cid, str) and is_cid(cid) else None


def dataset_orders(content: str) -> list[DatasetOrder]:
    """Return the orders of one slice; drop entries that are not orders, like those that are invalid on chain."""
    orders = []
    for entry in _array(content)[:MAX_DATASETS]:
        if not isinstance(entry, dict):
            continue
        with suppress(ValueError, KeyError):
            orders.append(DatasetOrder.from_json(entry))
    return orders


def _array(content: str) -> Sequence[object]:
    try:
        found = loads_bounded(content)
    except ValueError:
        return []
    return found if isinstance(found, list) else []

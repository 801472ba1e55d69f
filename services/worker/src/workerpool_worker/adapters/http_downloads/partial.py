"""A file that arrives in one or more attempts: a broken transfer is resumed."""

import hashlib
import re
from pathlib import Path
from typing import BinaryIO

import aiohttp

from workerpool_worker.adapters.http_downloads.failures import TransientFailure
from workerpool_worker.domain.fetching.limits import TaskQuota

PARTIAL = 206
RANGE_REFUSED = 416
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]+"')
"""An entity tag that changes with every byte of the file (RFC 9110, 8.8.3)."""
_RANGE = re.compile(r"bytes (?P<first>\d{1,19})-(?P<last>\d{1,19})/(?P<total>\d{1,19}|\*)")


class PartialFile:
    """The bytes of one file that have arrived so far, all of one version of it."""

    def __init__(self, path: Path, quota: TaskQuota) -> None:
        self.path = path
        self.quota = quota
        self.size = 0
        """Bytes that have arrived, which are taken from the quota."""
        self._digest = hashlib.sha256()
        self._tag = ""
        self._total: str | None = None

    @property
    def digest(self) -> str:
        """The SHA-256 of the bytes, as `0x…` text."""
        return "0x" + self._digest.hexdigest()

    @property
    def request_headers(self) -> dict[str, str]:
        """The headers that request the rest of the file, or all of it if it has changed (If-Range)."""
        return {"Range": f"bytes={self.size}-", "If-Range": self._tag} if self.can_continue else {}

    @property
    def can_continue(self) -> bool:
        """Whether there are bytes that an answer can continue: the server named their version."""
        return bool(self.size and self._tag)

    def begin(self, response: aiohttp.ClientResponse) -> None:
        """Prepare for the body of an answer: the whole file, or the requested rest.

        Raises `TransientFailure` for the rest of something else. The next attempt then requests the whole file.
        """
        if response.status != PARTIAL:
            if self.size:
                self.discard()
            tag = response.headers.get("ETag", "")
            self._tag = tag if _STRONG_TAG.fullmatch(tag) else ""
            self._total = str(response.content_length) if response.content_length is not None else None
            return
        part = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if (
            part is None
            or int(part["first"]) != self.size
            or (part["total"] != "*" and int(part["last"]) + 1 != int(part["total"]))
            or (self._total is not None and part["total"] not in ("*", self._total))
            or response.headers.get("ETag", self._tag) != self._tag
        ):
            self.discard()
            raise TransientFailure("the server does not continue the file where its transfer ended")

    def check_complete(self) -> None:
        """Raise `TransientFailure` if the bytes are fewer or more than the server announced at first."""
        if self._total is not None and self.size != int(self._total):
            announced = self._total
            self.discard()
            raise TransientFailure(f"the server announced {announced} bytes and sent others")

    def open(self) -> BinaryIO:
        """Open the file at the end of the bytes that have arrived. Raises OSError."""
        if not self.size:
            return self.path.open("wb")
        file = self.path.open("r+b")
        file.truncate(self.size)
        file.seek(self.size)
        return file

    def append(self, chunk: bytes, file: BinaryIO) -> None:
        """Write bytes that were counted, so that a full disk shows at once. Blocks; raises OSError."""
        self._digest.update(chunk)
        file.write(chunk)
        file.flush()

    def discard(self) -> None:
        """Forget and remove the bytes, and give their quota back. Does nothing without any."""
        self.quota.give_back(self.size)
        self.size, self._digest, self._tag, self._total = 0, hashlib.sha256(), "", None
        self.path.unlink(missing_ok=True)

    def move_to(self, target: Path) -> None:
        """Make the complete file readable for apps and give it its name. Raises OSError."""
        self.path.chmod(0o644)
        self.path.replace(target)

"""A result proxy in memory."""

from dataclasses import dataclass, field
from pathlib import Path

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES, ArchiveRules
from workerpool_worker.errors import UploadRefused, UploadUnavailable


@dataclass
class FakeResultStore:
    """Implements the `ResultStore` port for the proxies in `reachable`."""

    reachable: set[str]
    results: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """The proxies that uploads went to."""
    prepared: list[Path] = field(default_factory=list)
    outages: int = 0
    """Uploads that fail with `UploadUnavailable` before the proxy answers."""

    refusals: list[UploadRefused] = field(default_factory=list)
    """Raised by the next uploads, one each."""
    rules: ArchiveRules = DEFAULT_RULES

    async def archive_rules(self, proxy_url: str) -> ArchiveRules:
        return self.rules if proxy_url in self.reachable else DEFAULT_RULES

    async def prepare(
        self, proxy_url: str, authorization: WorkerpoolAuthorization, archive: Path, *, is_only_worker: bool
    ) -> None:
        self.prepared.append(archive)

    async def upload(
        self, proxy_url: str, authorization: WorkerpoolAuthorization, archive: Path, result_digest: str
    ) -> str:
        self.asked.append(proxy_url)
        if self.outages or proxy_url not in self.reachable:
            self.outages = max(self.outages - 1, 0)
            raise UploadUnavailable("UNAVAILABLE: the proxy does not answer")
        if self.refusals:
            raise self.refusals.pop(0)
        stored, _ = self.results.setdefault(authorization.task_id, (result_digest, archive.read_bytes()))
        if stored != result_digest:
            raise UploadRefused("the result proxy holds another result of this task")
        return f"/results/{authorization.task_id}"

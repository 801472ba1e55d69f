"""A result proxy in memory."""

from dataclasses import dataclass, field
from pathlib import Path

from workerpool_poco.protocol.authorization import WorkerpoolAuthorization
from workerpool_worker.errors import UploadRefused, UploadUnavailable


@dataclass
class FakeResultStore:
    """Implements the `ResultStore` port for the proxies in `reachable`."""

    reachable: set[str]
    results: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    outages: int = 0
    """Uploads that fail with `UploadUnavailable` before the proxy answers."""

    async def upload(
        self, proxy_url: str, authorization: WorkerpoolAuthorization, archive: Path, result_digest: str
    ) -> str:
        if self.outages or proxy_url not in self.reachable:
            self.outages = max(self.outages - 1, 0)
            raise UploadUnavailable("UNAVAILABLE: the proxy does not answer")
        stored, _ = self.results.setdefault(authorization.task_id, (result_digest, archive.read_bytes()))
        if stored != result_digest:
            raise UploadRefused("the result proxy holds another result of this task")
        return f"/results/{authorization.task_id}"

"""Files on the web, in memory."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from workerpool_worker.domain.fetching.limits import TaskQuota
from workerpool_worker.errors import DownloadFailed, HostNetworkUnavailable, HostStorageUnavailable


@dataclass
class FakeDownloader:
    """Implements the `Downloader` port for the URLs in `files`."""

    files: dict[str, bytes] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    gateways: list[str] = field(default_factory=list)
    """Requested URLs whose server the operator chose."""
    failures: dict[str, DownloadFailed] = field(default_factory=dict)
    """What happens to URLs that are not in `files`; the others answer 404."""
    disk_full: bool = False
    online: bool = True

    async def fetch(
        self, url: str, target: Path, quota: TaskQuota, *, is_gateway: bool = False, is_ipfs: bool = False
    ) -> str:
        if not target.exists():
            self.requested.append(url)
            if is_gateway:
                self.gateways.append(url)
            if self.disk_full:
                raise HostStorageUnavailable("the file cannot be saved: No space left on device")
            if not self.online:
                raise HostNetworkUnavailable(f"{url} cannot be downloaded: DNS does not answer")
            if url not in self.files:
                missing = DownloadFailed(f"{url} cannot be downloaded: the server answered 404")
                raise self.failures.get(url, missing)
            target.write_bytes(self.files[url])
        content = target.read_bytes()
        quota.take(len(content))
        return "0x" + hashlib.sha256(content).hexdigest()

    async def network_works(self) -> bool:
        return self.online

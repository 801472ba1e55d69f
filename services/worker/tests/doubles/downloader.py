"""Files on the web, in memory."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from workerpool_worker.errors import DownloadFailed, HostStorageUnavailable


@dataclass
class FakeDownloader:
    """Implements the `Downloader` port for the URLs in `files`."""

    files: dict[str, bytes] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    disk_full: bool = False

    async def fetch(self, url: str, target: Path) -> str:
        if not target.exists():
            self.requested.append(url)
            if self.disk_full:
                raise HostStorageUnavailable("the file cannot be saved: No space left on device")
            if url not in self.files:
                raise DownloadFailed(f"{url} cannot be downloaded: the server answered 404")
            target.write_bytes(self.files[url])
        return "0x" + hashlib.sha256(target.read_bytes()).hexdigest()

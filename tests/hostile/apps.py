"""The Docker images of the catalogue: a static busybox, one script for each entry, and images that cannot start."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound

from hostile.catalogue.entry import Entry

REPOSITORY = "workerpool-hostile/apps"
_DOCKERFILE = """FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY . /app/
ENTRYPOINT ["/bin/sh", "/app/run.sh"]
"""
# Arguments that name no case are odd params: the app takes no notice of them.
_RUN = """case="$1"
[ $# -gt 0 ] && shift
if [ ${#case} -gt 0 ] && [ ${#case} -lt 100 ] && [ -f "/app/$case.sh" ]; then
    [ -f "/app/$case.json" ] && cat "/app/$case.json" > /iexec_out/computed.json
    . "/app/$case.sh"
else
    echo ok > /iexec_out/r
    echo '{"deterministic-output-path":"/iexec_out/r"}' > /iexec_out/computed.json
fi
"""


class Images:
    """Builds the images that are missing in the local engine; names change with their contents."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = list(entries)
        self._files = self._contents()
        self.name = _name(_packed(self._files))
        """Image with every script; its entry point takes the name of an entry."""

    def build(self) -> None:
        """Build the image of the scripts and an image for each entry with lines of its own."""
        client = docker.from_env()
        try:
            _build(client, self._files, self.name)
            for entry in self._entries:
                if entry.dockerfile:
                    _build(client, self._derived(entry), self.of(entry))
        finally:
            client.close()

    def of(self, entry: Entry) -> str:
        """Return the name of the image of an entry with lines of its own."""
        return _name(_packed(self._derived(entry)))

    def _derived(self, entry: Entry) -> dict[str, bytes]:
        return {"Dockerfile": f"FROM {self.name}\n{entry.dockerfile}\n".encode()}

    def _contents(self) -> dict[str, bytes]:
        busybox = shutil.which("busybox")
        if busybox is None:
            raise RuntimeError("the images need a static busybox (Debian: apt-get install busybox-static)")
        files = {
            "busybox": Path(busybox).read_bytes(),
            "Dockerfile": _DOCKERFILE.encode(),
            "run.sh": _RUN.encode(),
            "plain-text": b"this is no program\n",
        }
        for entry in self._entries:
            if entry.script:
                files[f"{entry.name}.sh"] = f"{entry.script}\n".encode()
            if entry.computed:
                files[f"{entry.name}.json"] = entry.computed.encode()
        return files


def _name(context: bytes) -> str:
    return f"{REPOSITORY}:{hashlib.sha256(context).hexdigest()[:12]}"


def _build(client: docker.DockerClient, files: dict[str, bytes], name: str) -> None:
    try:
        client.images.get(name)
    except ImageNotFound:
        try:
            client.images.build(fileobj=io.BytesIO(_packed(files)), custom_context=True, tag=name, rm=True)
        except DockerException as error:
            raise RuntimeError(f"the Docker engine could not build {name}: {error}") from error


def _packed(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644 if name == "plain-text" else 0o755
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()

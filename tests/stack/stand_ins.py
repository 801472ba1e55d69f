"""Stand-ins for base images: none can be pulled here, so each is made of Debian packages and of programs built here.

A stand-in has the paths, the user and the start of its original as far as compose.yaml uses them. Grafana and
mongo-express have none: their containers are checked by configuration only, and the test says so. So it is with IPFS
where Kubo is not built.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import docker
from install.conftest import bare_debian
from workerpool_devnet.processes.kubo import QUIET
from workerpool_devnet.processes.mongod import mongod_binary

from stack.compose_files import ROOT

CACHE = ROOT / ".cache/stack"
PREFIX = "workerpool-stand-in"
_NEVER = ("grafana", "mongo-express")
"""Services of compose.yaml without a stand-in."""
_PACKAGES = ("python3", "python3-venv", "ca-certificates", "wget", "nftables", "libcurl4")
_BASE = f"{PREFIX}/python:bookworm"
_MONGO = """
RUN groupadd --gid 999 mongodb && useradd --uid 999 --gid 999 --no-create-home mongodb \\
    && mkdir -p /data/db /data/configdb && chown -R 999:999 /data
COPY mongod /usr/bin/mongod
"""
_KUBO = """
RUN useradd --uid 1000 --gid 100 ipfs && mkdir -p /data/ipfs /export && chown -R 1000:100 /data /export
COPY ipfs start_ipfs /usr/local/bin/
ENV IPFS_PATH=/data/ipfs HOME=/data/ipfs
ENTRYPOINT ["/usr/local/bin/start_ipfs"]
CMD ["daemon", "--migrate=true"]
"""
_START_KUBO = """\
#!/usr/bin/python3
# Like the original: a repository on the first start, whose API other containers reach. No other node is asked here.
import json, os, pathlib, subprocess, sys
file = pathlib.Path(os.environ["IPFS_PATH"], "config")
if not file.exists():
    subprocess.run(["ipfs", "init", "--empty-repo", f"--profile={os.environ['IPFS_PROFILE']}"], check=True)
    config = json.loads(file.read_text()) | json.loads('''QUIET''')
    config["Addresses"] |= {"API": "/ip4/0.0.0.0/tcp/5001", "Swarm": []}
    file.write_text(json.dumps(config))
os.execvp("ipfs", ["ipfs", *sys.argv[1:], "--offline"])
"""
_PROMETHEUS = """
RUN mkdir /prometheus && chown 65534:65534 /prometheus
COPY prometheus promtool /bin/
ENTRYPOINT ["/bin/prometheus"]
"""
_CADDY = """
COPY caddy /usr/bin/caddy
RUN mkdir -p /config /data
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
"""


_PEBBLE = """
COPY pebble /usr/bin/pebble
ENTRYPOINT ["/usr/bin/pebble"]
"""
PEBBLE_IMAGE = f"{PREFIX}/pebble:bookworm"
"""The ACME server of the test with HTTPS; no base image of ours."""
_KUBO_BINARY = ROOT / ".cache/bin/ipfs"


class StandInFailed(Exception):
    """A stand-in cannot be made; the message says what is missing."""


def has_kubo() -> bool:
    """Return whether Kubo is built. Its build is too dear for every run: without it results are stored in MongoDB."""
    return _KUBO_BINARY.exists()


def left_out() -> tuple[str, ...]:
    """Return the services of compose.yaml without a stand-in here."""
    return _NEVER if has_kubo() else (*_NEVER, "ipfs")


@contextmanager
def stand_ins() -> Iterator[Mapping[str, str]]:
    """Make the stand-ins; yield them by the variables of .env that name base images. They are removed again."""
    CACHE.mkdir(parents=True, exist_ok=True)
    client = docker.from_env(timeout=600)
    made = {"BUILD_IMAGE": _BASE, "RUNTIME_IMAGE": _BASE}
    try:
        _import_base(client)
        made["MONGO_IMAGE"] = _build(client, "mongo", _MONGO, {"mongod": mongod_binary()})
        if has_kubo():
            kubo = {"ipfs": _KUBO_BINARY, "start_ipfs": _kubo_start()}
            made["IPFS_IMAGE"] = _build(client, "kubo", _KUBO, kubo)
        binaries = {name: _debian("prometheus") / "usr/bin" / name for name in ("prometheus", "promtool")}
        made["PROMETHEUS_IMAGE"] = _build(client, "prometheus", _PROMETHEUS, binaries)
        yield made
    finally:
        for name in set(made.values()):
            _remove(client, name)
        client.close()


@contextmanager
def proxy_stand_ins() -> Iterator[Mapping[str, str]]:
    """Make the reverse proxy and the ACME server of the test with HTTPS, on the base of `stand_ins`."""
    client = docker.from_env(timeout=600)
    names = []
    try:
        pebble = _go_program("pebble", "pebble")
        names.append(_build(client, "caddy", _CADDY, {"caddy": _debian("caddy") / "usr/bin/caddy"}))
        names.append(_build(client, "pebble", _PEBBLE, {"pebble": pebble}))
        yield {"CADDY_IMAGE": names[0]}
    finally:
        for name in names:
            _remove(client, name)
        client.close()


def _import_base(client: docker.DockerClient) -> None:
    packed = CACHE / f"debian-{hashlib.sha256(' '.join(_PACKAGES).encode()).hexdigest()[:12]}.tar"
    if not packed.exists():
        with bare_debian(*_PACKAGES, in_memory=True) as machine:
            new = packed.with_suffix(".part")
            excluded = (
                "./var/cache/apt",
                "./var/lib/apt/lists",
                "./usr/share/doc",
                "./usr/share/man",
                "./tmp",
            )
            options = [f"--exclude={each}/*" for each in excluded]
            subprocess.run(["tar", "-C", str(machine.root), *options, "-cf", str(new), "."], check=True)
            new.replace(packed)
    client.api.import_image(src=str(packed), repository=_BASE.partition(":")[0], tag=_BASE.partition(":")[2])


def _build(client: docker.DockerClient, name: str, instructions: str, files: Mapping[str, Path]) -> str:
    """Build an image of the files on the base; return its name."""
    image = f"{PREFIX}/{name}:bookworm"
    folder = CACHE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file, source in files.items():
        shutil.copyfile(source, folder / file)
        (folder / file).chmod(0o755)
    (folder / "Dockerfile").write_text(f"FROM {_BASE}\n{instructions}")
    client.images.build(path=str(folder), tag=image, rm=True)
    shutil.rmtree(folder)
    return image


def _kubo_start() -> Path:
    file = CACHE / "start_ipfs"
    file.write_text(_START_KUBO.replace("QUIET", json.dumps(QUIET)))
    return file


def _go_program(name: str, target: str) -> Path:
    binary = ROOT / ".cache/bin" / name
    if not binary.exists():
        raise StandInFailed(f"{name} is not built: run `make {target}`")
    return binary


def _debian(package: str) -> Path:
    """Unpack a Debian package without installing it; return its root."""
    folder = CACHE / f"{package}.deb"
    if not (folder / "usr/bin").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if not _downloaded(package, folder):
            subprocess.run(["apt-get", "update", "-qq"], check=False)
            if not _downloaded(package, folder):
                raise StandInFailed(f"apt-get cannot download {package}")
        (archive,) = folder.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", str(archive), str(folder)], check=True)
        archive.unlink()
    return folder


def _downloaded(package: str, folder: Path) -> bool:
    command = ["apt-get", "download", "-qq", package]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def _remove(client: docker.DockerClient, image: str) -> None:
    with suppress(docker.errors.ImageNotFound):
        client.images.remove(image, force=True)

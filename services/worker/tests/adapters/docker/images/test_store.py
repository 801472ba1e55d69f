"""Failed pulls: a missing image is the task's failure, an engine in trouble is the worker's.

A missing image becomes a result, so the two must be distinguished. A small server stands in for the engine, because a
Docker engine cannot be killed or filled for a test.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stamina
from prometheus_client import REGISTRY
from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.images.credentials import RegistryCredentials
from workerpool_worker.adapters.docker.images.store import DockerImages, RegistryChecker
from workerpool_worker.domain.fetching.hosts import AddressRefused
from workerpool_worker.errors import (
    DockerUnavailable,
    HostNetworkUnavailable,
    HostStorageUnavailable,
    ImageSlow,
    ImageUnavailable,
    PublicRegistryUnavailable,
    RegistryAbsent,
    RegistryRefused,
    RegistryUnavailable,
    WorkerError,
)

from services.worker.tests.harness.waiting import Eventually

IMAGE = "registry.test/app:1"


class Answers(BaseHTTPRequestHandler):
    """An engine without images whose pulls proceed as the test says."""

    protocol_version = "HTTP/1.1"
    status = 200
    progress: tuple[dict[str, Any], ...] = ()
    breaks_off = False
    hangs = False
    stalls = False
    arrives = False
    """Whether a pull provides the image."""
    present = False

    def do_GET(self) -> None:
        if self.path.endswith("/version"):
            self._answer(200, {"Version": "1", "ApiVersion": "1.44"})
        elif self.present:
            self._answer(200, {"Id": "sha256:1"})
        else:
            self._answer(404, {"message": "no such image"})

    def do_POST(self) -> None:
        if self.hangs:
            self._until_the_client_is_gone()
        if self.status != 200:
            return self._answer(self.status, {"message": self.progress[0]["error"]})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for each in self.progress:
            line = json.dumps(each).encode() + b"\r\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        if self.stalls:
            self._until_the_client_is_gone()
        type(self).present = self.arrives
        if not self.breaks_off:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def _until_the_client_is_gone(self) -> None:
        self.connection.settimeout(30)  # Then the test fails: the worker keeps a pull that it gave up.
        self.connection.recv(1)
        self.close_connection = True

    def _answer(self, status: int, content: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def engine_that() -> Iterator[Callable[..., DockerImages]]:
    """Make an engine whose pulls proceed as described."""
    servers: list[ThreadingHTTPServer] = []
    connections: list[DockerConnection] = []

    def make(check: RegistryChecker | None = None, **behaviour: Any) -> DockerImages:
        handler = type("Handler", (Answers,), behaviour)
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        url = f"tcp://127.0.0.1:{servers[-1].server_port}"
        connections.append(DockerConnection(pool_size=2, base_url=url))
        credentials = RegistryCredentials({"operator.test": ("user", "password")}, Path("/no/such/file"))
        return DockerImages(connections[-1], credentials, check=check)

    yield make
    for connection in connections:
        connection.close()
    for server in servers:
        server.shutdown()
        server.server_close()


PULLING = {"status": "Pulling fs layer"}
FULL = {"error": "failed to register layer: write /usr/lib/x: no space left on device"}


@pytest.mark.parametrize(
    ("behaviour", "trouble"),
    [
        ({"progress": (PULLING,), "breaks_off": True}, DockerUnavailable),
        ({"progress": (PULLING,)}, DockerUnavailable),
        ({"progress": (PULLING, FULL)}, HostStorageUnavailable),
        ({"progress": (FULL,), "status": 500}, HostStorageUnavailable),
    ],
    ids=["it dies", "it stops", "its disk is full", "its disk is full at once"],
)
async def test_an_engine_failure_is_not_the_images_fault(
    engine_that: Callable[..., DockerImages], behaviour: dict[str, Any], trouble: type[Exception]
) -> None:
    """Scenario 11: daemon exception."""
    with pytest.raises(trouble):
        await engine_that(**behaviour).ensure(IMAGE, 10)


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_an_image_its_registry_refuses_is_unavailable(
    engine_that: Callable[..., DockerImages], status: int
) -> None:
    refusal = {"error": "manifest unknown: no such tag"}
    with pytest.raises(ImageUnavailable, match="manifest unknown"):
        await engine_that(progress=(refusal,), status=status).ensure(IMAGE, 10)


LIMITED = [
    "toomanyrequests: You have reached your pull rate limit",
    "error parsing HTTP 429 response body: invalid character 's' looking for beginning of value: \"slow down\"",
]
FAILED = [
    "received unexpected HTTP status: 503 Service Unavailable",
    'Get "https://x/v2/": net/http: TLS handshake timeout',
    'Get "https://x/v2/": x509: certificate has expired or is not yet valid',
    'Get "https://x/v2/": proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused',
    'Get "https://x/v2/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
]
LOOKUP = [
    'Get "https://x/v2/": dial tcp: lookup x on 10.0.0.1:53: server misbehaving',
    'Get "https://x/v2/": dial tcp: lookup x on 127.0.0.1:53: read udp 127.0.0.1:36759->127.0.0.1:53: read: '
    "connection refused",
]
ABSENT = [
    'Get "https://x/v2/": dial tcp: lookup x on 10.0.0.1:53: no such host',
    'Get "https://x/v2/": dial tcp: lookup x on [fd00::1]:53: no such host',
]
REFUSED = ['Get "https://x/v2/": dial tcp 192.0.2.1:443: connect: connection refused']
LARGE, OPERATORS = ["app:1", "me/app:1", "ghcr.io/me/app:1"], ["operator.test/app:1", "OPERATOR.test/app:1"]


@pytest.mark.parametrize(
    ("images", "reasons", "error"),
    [
        (LARGE + OPERATORS, LIMITED + FAILED, PublicRegistryUnavailable),
        (LARGE, LOOKUP + ABSENT + REFUSED, HostNetworkUnavailable),
        (OPERATORS, LOOKUP + ABSENT + REFUSED, PublicRegistryUnavailable),
        ([IMAGE], LIMITED + FAILED + LOOKUP, RegistryUnavailable),
        ([IMAGE], ABSENT, RegistryAbsent),
        ([IMAGE], REFUSED, RegistryRefused),
    ],
    ids=[
        "a known registry",
        "a large registry",
        "the operator's registry",
        "another registry",
        "no registry",
        "no port",
    ],
)
async def test_failures_of_a_registry_are_classified_and_retried_three_times(
    engine_that: Callable[..., DockerImages], images: list[str], reasons: list[str], error: type[WorkerError]
) -> None:
    for reason in reasons:
        for image in images:
            engine = engine_that(progress=({"error": reason},), status=500)
            with stamina.set_testing(True, attempts=3), pytest.raises(WorkerError) as raised:
                await engine.ensure(image, 10)
            assert type(raised.value) is error, (image, reason)


async def test_a_registry_that_requests_a_long_pause_is_not_retried(
    engine_that: Callable[..., DockerImages],
) -> None:
    engine = engine_that(progress=({"error": "toomanyrequests: retry-after: 300s"},), status=500)
    for match in ("toomanyrequests", "requested a pause, of which"):
        with stamina.set_testing(True, attempts=1), pytest.raises(RegistryUnavailable, match=match):
            await engine.ensure(IMAGE, 400)


@pytest.mark.parametrize(
    "reason",
    [
        "manifest for app:1 not found: manifest unknown: manifest unknown",
        "pull access denied for app, repository does not exist or may require 'docker login'",
        "unauthorized: authentication required",
        "no matching manifest for linux/amd64 in the manifest list entries",
        "repository app not found: does not exist or no pull access",
        "unsupported manifest media type and no default available: text/html",
    ],
)
async def test_a_refusal_of_a_known_registry_is_the_images_failure(
    engine_that: Callable[..., DockerImages], reason: str
) -> None:
    with pytest.raises(ImageUnavailable):
        await engine_that(progress=({"error": reason},)).ensure("app:1", 10)


async def refuse(registry: str) -> None:
    raise AddressRefused(f"{registry} is a private address")


async def test_data_private_a_refused_registry_is_not_contacted(
    engine_that: Callable[..., DockerImages],
) -> None:
    images = engine_that(status=500, progress=({"error": "the engine was asked"},), check=refuse)
    with pytest.raises(ImageUnavailable, match=r"is not pulled: .* address"):
        await images.ensure(IMAGE, 10)


@pytest.mark.parametrize("image", ["operator.test/app:1", "app:1", "ghcr.io/me/app:1"])
async def test_a_registry_of_the_operator_or_a_large_one_is_contacted(
    engine_that: Callable[..., DockerImages], image: str
) -> None:
    images = engine_that(status=500, progress=({"error": "manifest unknown"},), check=refuse)
    with pytest.raises(ImageUnavailable, match="manifest unknown"):
        await images.ensure(image, 10)


async def test_the_pull_of_a_too_large_image_is_abandoned(engine_that: Callable[..., DockerImages]) -> None:
    layers = tuple(
        {"status": "Downloading", "id": str(number % 3), "progressDetail": {"current": 1, "total": 12 << 30}}
        for number in range(6)
    )
    with pytest.raises(ImageUnavailable, match="larger than 34359738368 bytes"):
        await engine_that(progress=layers, stalls=True).ensure(IMAGE, 10)


async def test_a_registry_that_sends_nothing_is_failing(engine_that: Callable[..., DockerImages]) -> None:
    """Scenario 11: timeout."""
    with stamina.set_testing(True, attempts=3), pytest.raises(RegistryUnavailable, match="sent nothing"):
        await engine_that(hangs=True).ensure(IMAGE, 0.3)


async def test_an_image_that_arrives_too_slowly_may_be_faster_elsewhere(
    engine_that: Callable[..., DockerImages],
) -> None:
    images = engine_that(progress=({"status": "Downloading"},), stalls=True)
    with pytest.raises(ImageSlow, match="did not arrive within"):
        await images.ensure(IMAGE, 0.5)


def measured(name: str, **labels: str) -> float:
    """Return the value of a series; 0 before its first sample."""
    return REGISTRY.get_sample_value(f"workerpool_worker_image_{name}", labels) or 0.0


async def test_pulls_are_counted_by_outcome_with_their_bytes_and_duration(
    engine_that: Callable[..., DockerImages],
) -> None:
    names = ("pulled_bytes_total", "pull_seconds_count")
    before = [measured(name) for name in names]
    pulled = measured("pulls_total", outcome="pulled")
    missing = measured("pulls_total", outcome="APP_IMAGE_DOWNLOAD_FAILED")
    layer = {"status": "Downloading", "id": "a", "progressDetail": {"current": 700, "total": 1_000}}
    assert await engine_that(progress=(layer,), arrives=True).ensure(IMAGE, 10)
    assert [measured(name) for name in names] == [before[0] + 700, before[1] + 1]
    assert measured("pulls_total", outcome="pulled") == pulled + 1
    with pytest.raises(ImageUnavailable):
        await engine_that(progress=(layer, {"error": "manifest unknown"})).ensure(IMAGE, 10)
    assert [measured(name) for name in names] == [before[0] + 1_400, before[1] + 1]
    assert measured("pulls_total", outcome="APP_IMAGE_DOWNLOAD_FAILED") == missing + 1


async def test_a_pull_in_progress_is_reported(
    engine_that: Callable[..., DockerImages], eventually: Eventually
) -> None:
    layer = {"status": "Downloading", "id": "a", "progressDetail": {"current": 3 << 20, "total": 9 << 20}}
    images = engine_that(progress=(layer,), stalls=True)
    assert images.pulls() == []
    pull = asyncio.create_task(images.ensure(IMAGE, 5.0))
    await eventually(lambda: any(f"{IMAGE}: 3 of 9 MiB arrived" in each for each in images.pulls()))
    with pytest.raises(ImageSlow):
        await pull
    assert images.pulls() == []

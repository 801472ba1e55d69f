"""A pool behind one port: the nginx configuration of docs/addresses.md serves HTTP and gRPC of all services."""

import asyncio
import io
import json
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
import pytest_asyncio
from certificates import Authority
from patience import PATIENCE_S
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.packages import repository_root
from workerpool_devnet.processes.ports import free_port, free_ports_in_a_row
from workerpool_devnet.processes.process import ManagedProcess
from workerpool_kit.grpc.call_status import ServerStatus
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_protocol.result_proxy.v1.result_service_pb2_grpc import ResultServiceStub
from workerpool_worker.adapters.results.grpc_result_store import CHUNK_BYTES

from e2e.requester import Requester
from e2e.shell_image import ensure_shell_image

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]

SERVICES = {"registry": 8888, "chain_adapter": 13010, "result_proxy": 13200, "core": 13000, "sms": 13300}
"""The documented ports, in the order in which a devnet numbers its ports from a first one."""
NAMES = {
    "core": "pool.example",
    "result_proxy": "result.pool.example",
    "sms": "sms.pool.example",
    "registry": "config.pool.example",
}
"""The names of the document. Here each is an address of this host: no name needs to be resolved."""
_MAX_SERVICES = 12
LARGE_RESULT = (
    f"sh -c 'head -c {2 * CHUNK_BYTES} /dev/urandom >/iexec_out/noise; "
    'echo "{\\"deterministic-output-path\\": \\"/iexec_out/noise\\"}" >/iexec_out/computed.json\''
)
"""An app whose result does not shrink, so its archive is larger than one message."""
PAGE = "https://explorer.example"
UNKNOWN = "0x" + "00" * 32


@dataclass(frozen=True)
class Front:
    """nginx before the ports of a devnet."""

    urls: Mapping[str, str]
    """By the names of the services."""
    authority: Path
    log: Path
    first_port: int

    async def ask(
        self, service: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request; underscores in the names of headers stand for dashes. Return status, headers and body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        trusted = ssl.create_default_context(cafile=str(self.authority))
        url, content = self.urls[service] + path, None if body is None else io.BytesIO(body)
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as http,
            http.request(method, url, headers=named, data=content, ssl=trusted) as answer,
        ):
            return answer.status, answer.headers, await answer.read()

    async def passed(self, line: str) -> None:
        """Wait for a line of the access log: nginx writes it after the client has its answer."""
        async with asyncio.timeout(PATIENCE_S):
            while line not in self.log.read_text():
                await asyncio.sleep(0.05)


def configuration(folder: Path, listening: Mapping[str, str], authority: Authority, first_port: int) -> str:
    """Return the documented servers, each on an address of its own, with a certificate of these tests."""
    text = (repository_root() / "docs" / "addresses.md").read_text()
    fence = "`" * 3
    servers = text.partition(f"{fence}nginx\n")[2].partition(fence)[0]
    for position, (name, documented) in enumerate(SERVICES.items()):
        for offset in (0, GRPC_PORT_OFFSET):
            before, after = (
                f"127.0.0.1:{documented + offset};",
                f"127.0.0.1:{first_port + position + offset};",
            )
            assert (before in servers) == (name in NAMES), f"{name} at {before}"
            servers = servers.replace(before, after)
    for service, name in NAMES.items():
        own = rf"listen 443 (ssl http2;[^\n]*\n +server_name {re.escape(name)};)"
        servers, count = re.subn(own, rf"listen {listening[service]} \1", servers)
        assert count == 1, name
    files = authority.issue("nginx", *(address.partition(":")[0] for address in listening.values()))
    for directive, value in (("ssl_certificate", files.certificate), ("ssl_certificate_key", files.key)):
        servers, count = re.subn(rf"\b{directive} [^;]*", f"{directive} {value}", servers)
        assert count == 1, directive
    temporary = "\n".join(
        f"{module}_temp_path {folder}/{module};"
        for module in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
{"user root;" if os.geteuid() == 0 else ""}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{}}
http {{
access_log {folder}/access.log;
{temporary}
{servers}
}}
"""


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Run nginx before the ports of a devnet to come."""
    binary = repository_root() / ".cache" / "nginx" / "usr" / "sbin" / "nginx"
    if not binary.exists():
        pytest.skip("nginx is not there: run `make nginx` (it needs Debian's apt-get)")
    folder, first_port, port = (
        tmp_path_factory.mktemp("nginx"),
        free_ports_in_a_row(_MAX_SERVICES),
        free_port(),
    )
    authority = Authority(folder)
    file = folder / "nginx.conf"
    listening = {name: f"127.0.0.{number}:{port}" for number, name in enumerate(NAMES, start=2)}
    file.write_text(configuration(folder, listening, authority, first_port))
    errors = folder / "error.log"
    command = [str(binary), "-p", str(folder), "-c", str(file), "-e", str(errors)]
    process = ManagedProcess("nginx", command, log=folder / "log")
    process.start()
    try:
        process.wait_until(lambda: _listens(port), timeout=PATIENCE_S, what="listening")
        urls = {name: f"https://{address}" for name, address in listening.items()}
        yield Front(urls, authority.file, folder / "access.log", first_port)
    finally:
        process.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.2", port)) == 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net(front: Front) -> AsyncIterator[Devnet]:
    """A pool of one worker that knows its peers by these URLs; the chain adapter stays inside."""
    trust = {"WORKERPOOL_TLS_CA": str(front.authority)}
    inside = {"WORKERPOOL_HTTP_BIND_ADDRESS": "127.0.0.1", "WORKERPOOL_GRPC_BIND_ADDRESS": "127.0.0.1"}
    environment = {
        "registry": inside,
        "core": inside
        | trust
        | {
            "IEXEC_CORE_PUBLIC_URL": front.urls["core"],
            "IEXEC_CONFIG_SERVER_URL": front.urls["registry"],
            "IEXEC_PLATFORM_REGISTRY": front.urls["registry"],
            "IEXEC_RESULT_REPOSITORY_URL": front.urls["result_proxy"],
        },
        "result_proxy": inside | {"IEXEC_RESULT_PROXY_PUBLIC_URL": front.urls["result_proxy"]},
        "sms": inside | {"IEXEC_SMS_PUBLIC_URL": front.urls["sms"]},
        "worker": trust | {"IEXEC_CORE_URL": front.urls["core"]},
    }
    options = DevnetOptions(
        workers=1,
        ports=front.first_port,
        services={*SERVICES, "worker-1"},
        environment=environment,
    )
    async with Devnet(options) as running:
        yield running


async def test_tasks_are_computed_by_a_pool_behind_one_port(requester: Requester, front: Front) -> None:
    tasks = await requester.buy(volume=2)
    await requester.follow(tasks)
    for task in tasks:
        record = await requester.on_chain(task)
        assert record.task.status is ChainTaskStatus.COMPLETED, record
        status, headers, archive = await front.ask("result_proxy", f"/results/{task}")
        assert (status, headers["content-type"], archive[:2]) == (200, "application/zip", b"PK")
        assert (await front.ask("result_proxy", f"/results/{task}", range="bytes=0-1"))[2] == b"PK"
        await front.passed('POST /workerpool.result_proxy.v1.ResultService/Upload HTTP/2.0" 200')
    _, _, told = await front.ask("core", f"/tasks/{tasks[0]}")
    (replicate,) = json.loads(told)["replicates"]
    assert replicate["self"].startswith(f"{front.urls['core']}/tasks/"), "a requester follows such links"


async def test_a_large_archive_passes_by_http(net: Devnet, front: Front) -> None:
    requester = Requester(net, await net.create_app("shell", ensure_shell_image()), ())
    (task,) = await requester.buy(LARGE_RESULT)
    await requester.follow([task])
    await front.passed(f'PUT /results/{task} HTTP/1.1" 200')
    status, _, archive = await front.ask("result_proxy", f"/results/{task}")
    assert status == 200
    assert len(archive) > CHUNK_BYTES
    for method in (
        "core.v1.WorkerService/Login",
        "result_proxy.v1.ResultService/IssueToken",
        "result_proxy.v1.ResultService/GetResult",
    ):
        await front.passed(f'POST /workerpool.{method} HTTP/2.0" 200')


@pytest.mark.parametrize(
    ("service", "path", "status", "words"),
    [
        ("core", "/version", 200, ""),
        ("core", f"/tasks/{UNKNOWN}", 404, "no deal of this pool"),
        ("result_proxy", f"/results/{UNKNOWN}", 404, "RESULT_NOT_FOUND"),
        ("result_proxy", "/ipfs/" + "Qm" + "a" * 44, 404, "IPFS_NOT_CONFIGURED"),
        ("sms", "/tee/framework", 200, "TDX"),
        ("sms", "/admin/backup", 404, "nginx"),
        ("registry", "/config/chain", 200, "iexecHubContractAddress"),
    ],
)
async def test_each_name_leads_to_its_service(
    net: Devnet, front: Front, service: str, path: str, status: int, words: str
) -> None:
    answered, _, body = await front.ask(service, path)
    assert (answered, words in body.decode()) == (status, True), body


@pytest.mark.parametrize(
    ("service", "method", "path", "status", "words"),
    [
        ("core", "POST", "/tasks", 404, "nothing is served"),
        ("result_proxy", "POST", "/v1/results", 401, "UNAUTHENTICATED"),
        ("result_proxy", "PUT", f"/results/{UNKNOWN}", 401, "UNAUTHENTICATED"),
        ("sms", "POST", f"/secrets/web3?secretAddress={UNKNOWN[:42]}", 413, "SECRET_TOO_LARGE"),
        ("registry", "PUT", "/config/chain", 405, "does not take PUT"),
    ],
)
async def test_a_large_body_is_refused_by_the_service_itself(
    net: Devnet, front: Front, service: str, method: str, path: str, status: int, words: str
) -> None:
    for size in (1 << 20, 24 << 20):
        answered, _, body = await front.ask(service, path, method, b"x" * size)
        assert (answered, words in body.decode()) == (status, True), body


async def test_an_upload_is_refused_by_the_result_proxy_itself(net: Devnet, front: Front) -> None:
    async def archive() -> AsyncIterator[pb.UploadRequest]:
        yield pb.UploadRequest(header=pb.UploadHeader(task_id=UNKNOWN, size=64 << 20, sha256=UNKNOWN))
        for _ in range(64):
            yield pb.UploadRequest(chunk=bytes(1 << 20))

    trusted = grpc.ssl_channel_credentials(front.authority.read_bytes())
    target = front.urls["result_proxy"].removeprefix("https://")
    async with grpc.aio.secure_channel(target, trusted) as channel:
        stub: Any = ResultServiceStub(channel)
        call = stub.Upload(archive(), timeout=PATIENCE_S)
        error = await ServerStatus(call).error()
    assert error is not None
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED, error


async def test_the_compass_names_the_public_url(net: Devnet, front: Front) -> None:
    _, _, body = await front.ask("core", f"/{net.chain.chain_id}/workerpools/{net.workerpool}")
    assert front.urls["core"] in body.decode()


@pytest.mark.parametrize(
    ("service", "path"),
    [("core", f"/tasks/{UNKNOWN}"), ("result_proxy", f"/results/{UNKNOWN}"), ("sms", "/tee/framework")],
)
async def test_pages_of_other_origins_may_read_answers_as_without_nginx(
    net: Devnet, front: Front, service: str, path: str
) -> None:
    preflight = front.ask(service, path, "OPTIONS", origin=PAGE, access_control_request_method="GET")
    for asking in (preflight, front.ask(service, path, origin=PAGE)):
        _, headers, _ = await asking
        allowed = [value for name, value in headers.items() if name.lower() == "access-control-allow-origin"]
        assert allowed == ["*"]

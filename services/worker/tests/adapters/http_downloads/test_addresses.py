"""Case data-private and its siblings: no request leaves for an address that requesters may not reach."""

import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from workerpool_worker.adapters.http_downloads.resolver import is_own_address
from workerpool_worker.domain.fetching.addresses import AllowedHosts, IpAddress
from workerpool_worker.errors import DownloadFailed, HostNetworkUnavailable

from services.worker.tests.adapters.http_downloads.conftest import Fetch
from services.worker.tests.doubles.file_server import Exchange, FileServer

NOTHING_ALLOWED = {"allowed": AllowedHosts()}


class Names:
    """A DNS with a few names. Each lookup of a name returns its next answer; the last one stays."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def __call__(self, host: str) -> list[IpAddress]:
        self.asked.append(host)
        answers = self._answers.get(host.partition(".")[0])
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [ip_address(text) for text in (answers.pop(0) if len(answers) > 1 else answers[0])]


@pytest.fixture
async def decoys() -> AsyncIterator[tuple[FileServer, FileServer]]:
    """Two file servers at 127.0.0.1 and 127.0.0.2 with the same port, so that only the address tells them apart."""
    allowed, secret = FileServer(), FileServer()
    for server, body in ((allowed, b"public"), (secret, b"secret")):
        server.serves("/x", body)
    while True:
        await allowed.start("127.0.0.1")
        try:
            await secret.start("127.0.0.2", port=allowed.port)
            break
        except OSError:
            await allowed.stop()
    yield allowed, secret
    await allowed.stop()
    await secret.stop()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "0.0.0.0",
        "0",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "user@127.0.0.1",
        "example.com@127.0.0.1",
    ],
)
async def test_data_private_loopback_in_any_spelling(fetch: Fetch, files: FileServer, host: str) -> None:
    """The same server answers once the operator allows it: the refusal is not an accident of the spelling."""
    files.serves("/x", b"secret")
    with pytest.raises(DownloadFailed, match=r"cannot be downloaded"):
        await fetch(f"http://{host}:{files.port}/x", limits=NOTHING_ALLOWED)
    assert files.connections == 0


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "0.0.0.0",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
    ],
)
async def test_data_private_a_public_name_of_a_private_address(fetch: Fetch, address: str) -> None:
    names = Names(evil=[[address]])
    with pytest.raises(DownloadFailed, match=r"evil.test leads to an? .* address") as refused:
        await fetch("http://evil.test/x", lookup=names, limits=NOTHING_ALLOWED)
    assert address not in str(refused.value), "requesters would read the operator's own DNS"


async def test_data_private_every_address_of_a_name_is_checked(fetch: Fetch, files: FileServer) -> None:
    names = Names(evil=[["127.0.0.1", "10.0.0.1"]])
    with pytest.raises(DownloadFailed, match="leads to a private address"):
        await fetch(f"http://evil.test:{files.port}/x", lookup=names)
    assert files.connections == 0


async def test_data_private_the_connection_goes_to_the_address_that_was_checked(
    fetch: Fetch, decoys: tuple[FileServer, FileServer], tmp_path: Path
) -> None:
    """DNS rebinding: the second answer of the name would be a private address."""
    allowed, secret = decoys
    names = Names(rebinding=[["127.0.0.1"], ["127.0.0.2"]])
    await fetch(f"http://rebinding.test:{allowed.port}/x", lookup=names)
    assert (tmp_path / "file").read_bytes() == b"public"
    assert names.asked == ["rebinding.test"]
    with pytest.raises(DownloadFailed, match="leads to a loopback address"):
        await fetch(f"http://rebinding.test:{allowed.port}/x", tmp_path / "second", lookup=names)
    assert secret.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2:{port}/x",
        "//127.0.0.2:{port}/x",
        "http://0x7f000002:{port}/x",
        "http://[::ffff:127.0.0.2]:{port}/x",
        "http://evil.test:{port}/x",
        "HTTP://user:password@127.0.0.2:{port}/x",
    ],
)
async def test_data_private_a_redirect_to_a_private_address(
    fetch: Fetch, decoys: tuple[FileServer, FileServer], status: int, location: str
) -> None:
    allowed, secret = decoys

    async def moved(exchange: Exchange) -> None:
        await exchange.reply(status, Location=location.format(port=allowed.port))

    names = Names(evil=[["127.0.0.2"]])
    with pytest.raises(DownloadFailed, match="a loopback address"):
        await fetch(allowed.serves("/moved", moved), lookup=names)
    assert secret.connections == 0


async def test_data_private_a_gateways_redirect_is_checked(
    fetch: Fetch, decoys: tuple[FileServer, FileServer]
) -> None:
    gateway, secret = decoys

    async def moved(exchange: Exchange) -> None:
        await exchange.reply(302, Location=f"http://127.0.0.2:{gateway.port}/x")

    gateway.serves("/moved", moved)
    with pytest.raises(DownloadFailed, match="a loopback address"):
        await fetch(f"{gateway.url}/moved", is_gateway=True, limits=NOTHING_ALLOWED)
    assert secret.connections == 0


async def test_a_gateway_of_the_operator_may_be_private(fetch: Fetch, files: FileServer) -> None:
    url = files.serves("/ipfs/Qm", b"data")
    await fetch(url, is_gateway=True, limits=NOTHING_ALLOWED)
    assert files.connections == 1


async def test_a_proxy_of_the_operator_may_be_private_and_its_targets_are_checked(
    fetch: Fetch, files: FileServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files.serves("http://public.test/x", b"data")
    monkeypatch.setenv("http_proxy", files.url)
    names = Names(public=[["8.8.8.8"]], evil=[["10.0.0.1"]])
    await fetch("http://public.test/x", lookup=names, limits=NOTHING_ALLOWED)
    for host in ("evil.test", "10.0.0.1", "169.254.169.254"):
        with pytest.raises(DownloadFailed, match="address"):
            await fetch(f"http://{host}/x", tmp_path / host, lookup=names, limits=NOTHING_ALLOWED)
    assert len(files.exchanges) == 1


async def test_an_allowed_name_may_have_any_address(fetch: Fetch, files: FileServer) -> None:
    files.serves("/x", b"data")
    names = Names(intranet=[["127.0.0.1"]])
    allowed = {"allowed": AllowedHosts.parse(["intranet.test"])}
    await fetch(f"http://intranet.test:{files.port}/x", lookup=names, limits=allowed)
    assert files.connections == 1


def test_the_hosts_own_addresses_are_recognized() -> None:
    assert is_own_address(ip_address("127.0.0.1"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("8.8.8.8", 9))
        except OSError:
            pytest.skip("NO ROUTE: this machine has no address of its own besides loopback")
        assert is_own_address(ip_address(probe.getsockname()[0]))
    assert not is_own_address(ip_address("8.8.8.8"))
    assert not is_own_address(ip_address("2606:4700::1111"))


async def test_data_private_the_hosts_own_public_address(
    fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "workerpool_worker.adapters.http_downloads.resolver.is_own_address", lambda address: True
    )
    with pytest.raises(DownloadFailed, match="leads to an address of the worker itself"):
        await fetch("http://own.test/x", lookup=Names(own=[["8.8.8.8"]]))


async def test_an_unknown_name_is_not_the_hosts_failure(fetch: Fetch) -> None:
    with pytest.raises(DownloadFailed, match="its host name does not exist"):
        await fetch("http://unknown.test/x", lookup=Names(), reference_urls=["http://unknown-too.test"])


async def no_dns(host: str) -> list[IpAddress]:
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


async def test_dns_failing_for_all_names_is_the_hosts_failure(fetch: Fetch) -> None:
    with pytest.raises(HostNetworkUnavailable, match="DNS does not answer") as failed:
        await fetch(
            "http://some.test/x?key=secret", lookup=no_dns, reference_urls=["http://reference.invalid"]
        )
    assert "secret" not in str(failed.value)


async def test_dns_failing_for_one_name_is_not_the_hosts_failure(fetch: Fetch, files: FileServer) -> None:
    """The name servers of a requester could otherwise send every worker into quarantine."""
    with pytest.raises(DownloadFailed, match="DNS does not answer for its host name"):
        await fetch("http://some.test/x", lookup=no_dns, reference_urls=[files.url])

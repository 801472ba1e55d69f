"""Case data-private, for registries: the engine probes no private network for a requester."""

import socket
from ipaddress import ip_address

import pytest
from workerpool_worker.adapters.http_downloads.registry_check import RegistryCheck
from workerpool_worker.domain.fetching.addresses import AllowedHosts, IpAddress
from workerpool_worker.domain.fetching.hosts import AddressRefused

NAMES = {"public.test": "8.8.8.8", "private.test": "10.0.0.1", "metadata.test": "169.254.169.254"}


async def lookup(host: str) -> list[IpAddress]:
    if host not in NAMES:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")
    return [ip_address(NAMES[host])]


@pytest.mark.parametrize(
    "registry",
    [
        "127.0.0.1:5000",
        "10.0.0.1",
        "[::1]:5000",
        "localhost",
        "localhost:22",
        "169.254.169.254",
        "2130706433:80",
        "0x7f.1",
        "private.test",
        "private.test:22",
        "metadata.test",
        "reg:99999",
    ],
)
async def test_data_private_a_registry_is_refused(registry: str) -> None:
    with pytest.raises(AddressRefused):
        await RegistryCheck(AllowedHosts(), lookup)(registry)


@pytest.mark.parametrize("registry", ["public.test", "public.test:5000", "8.8.8.8", "unknown.test"])
async def test_a_registry_is_accepted(registry: str) -> None:
    await RegistryCheck(AllowedHosts(), lookup)(registry)


@pytest.mark.parametrize("registry", ["10.0.0.1:5000", "private.test", "localhost:5000", "metadata.test"])
async def test_the_operators_exceptions_hold(registry: str) -> None:
    allowed = AllowedHosts.parse(["10.0.0.0/8", "localhost", "metadata.test"])
    await RegistryCheck(allowed, lookup)(registry)

"""Addresses of image registries in any spelling, and which of them an image can name."""

import re

DOCKER_HUB = "docker.io"

LARGE_REGISTRIES = (
    DOCKER_HUB,
    "ghcr.io",
    "quay.io",
    "gcr.io",
    "pkg.dev",
    "public.ecr.aws",
    "mcr.microsoft.com",
)
"""Public registries that no requester runs. Their outages and rate limits say nothing about a deal."""

_HUB_HOSTS = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", ""})
_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_HOST = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
)
_HIGHEST_PORT = 65_535


def registry_key(address: str) -> str:
    """Return one spelling for all addresses of a registry: host and port in lower case, Docker Hub as `docker.io`.

    A scheme, a path such as `/v1/`, a trailing slash and the port 443 make no difference. An empty address is Docker
    Hub's.
    """
    host = _SCHEME.sub("", address.strip(), count=1).partition("/")[0].strip().lower()
    host = host.removesuffix(":443").removesuffix(".")
    return DOCKER_HUB if host in _HUB_HOSTS else host


def credentials_defect(address: str) -> str:
    """Return why no image can name the registry of credentials, so that they have no effect; empty if one can."""
    key = registry_key(address)
    if not _HOST.fullmatch(key):
        return "it is not the address of a registry; write a host such as registry.example.com:5000"
    host, _, port = key.rpartition(":") if re.search(r":\d+$", key) else (key, "", "")
    if port and not 0 < int(port) <= _HIGHEST_PORT:
        return f"{port} is not a port"
    if not is_registry_host(key):
        return (
            f"no image name begins with {host}/ as a registry: it takes a dot, a port, or localhost to distinguish a "
            "registry from a folder of Docker Hub"
        )
    return ""


def is_registry_host(segment: str) -> bool:
    """Return whether the first segment of an image's name is a registry."""
    return "." in segment or ":" in segment or segment == "localhost"


def registry_of(image: str) -> str:
    """Return the registry host of an image: its first path segment if that is a host name, else Docker Hub."""
    first, slash, _ = image.partition("/")
    return first if slash and is_registry_host(first) else DOCKER_HUB


def is_large_registry(registry: str) -> bool:
    """Return whether a registry is a public one that no requester runs."""
    host = registry_key(registry).partition(":")[0]
    return any(host == known or host.endswith(f".{known}") for known in LARGE_REGISTRIES)

"""Prove from a container what apps reach."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from docker import errors

from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.images.store import DockerImages
from workerpool_worker.errors import (
    AppNetworkUnsafe,
    HostNetworkUnavailable,
    HostStorageUnavailable,
    ImageUnavailable,
    RegistryLoginRefused,
    RegistryUnavailable,
)

_PORTS = (1, 22, 80, 2375, 2376)
"""Any port of a host that is reached answers: it accepts or it refuses the connection."""
_METADATA = "169.254.169.254:80"
_PULL_LIMIT_S, _RUN_LIMIT_S = 120.0, 30
_CONNECT_LIMIT_S = 3
_COMPLETE = "complete"
_NOT_PULLED = (
    ImageUnavailable,
    RegistryUnavailable,
    RegistryLoginRefused,
    HostNetworkUnavailable,
    HostStorageUnavailable,
)


class NetworkProbe:
    """Connects to addresses that apps must not reach."""

    def __init__(
        self,
        connection: DockerConnection,
        images: DockerImages,
        image: str,
        targets: Sequence[str],
        *,
        label: dict[str, str],
    ) -> None:
        """Create it. `targets` are addresses as `host:port` besides the host of the engine."""
        self._connection, self._images, self._image = connection, images, image
        self._targets, self._label = tuple(targets), label

    async def answering(self, network: str) -> list[str]:
        """Return the addresses that answer a container in `network`. Raises `AppNetworkUnsafe` if the probe fails."""
        try:
            await self._images.ensure(self._image, _PULL_LIMIT_S)
        except _NOT_PULLED as problem:
            raise AppNetworkUnsafe(
                f"{problem.message}; set WORKERPOOL_WORKER_NETWORK_PROBE_IMAGE to an image with sh, nc and timeout"
            ) from problem
        output = await self._connection.call(lambda api: self._run(api, network))
        lines = output.split()
        if _COMPLETE not in lines:
            raise AppNetworkUnsafe(
                f"the image {self._image} cannot probe the network of apps: {output.strip()[:200] or 'no output'}; "
                "set WORKERPOOL_WORKER_NETWORK_PROBE_IMAGE to an image with sh, nc and timeout"
            )
        return sorted(set(lines) - {_COMPLETE})

    def _run(self, api: Any, network: str) -> str:
        gateways = {_gateway(api, name) for name in (network, "bridge")} - {""}
        targets = [*self._targets, _METADATA, *(f"{host}:{port}" for host in gateways for port in _PORTS)]
        container = api.create_container(
            self._image,
            entrypoint=["sh", "-c", _script(targets)],
            labels=self._label,
            host_config=api.create_host_config(
                network_mode=network, cap_drop=["ALL"], security_opt=["no-new-privileges"], pids_limit=256
            ),
        )["Id"]
        try:
            api.start(container)
            api.wait(container, timeout=_RUN_LIMIT_S)
            output: str = api.logs(container).decode(errors="replace")
            return output
        except errors.APIError as refusal:
            return str(refusal.explanation or refusal)
        finally:
            with suppress(errors.APIError):
                api.remove_container(container, force=True, v=True)


def _gateway(api: Any, network: str) -> str:
    try:
        pools = api.inspect_network(network)["IPAM"]["Config"] or []
    except errors.NotFound:
        return ""
    return str(pools[0].get("Gateway", "")) if pools else ""


def _script(targets: Sequence[str]) -> str:
    """Return a shell script that prints each target that accepts or refuses a connection.

    `timeout` ends a silent peer, later than nc's own limit for an unanswered connection.
    """
    lines = ["command -v nc >/dev/null && command -v timeout >/dev/null || exit"]
    for target in targets:
        host, port = target.rsplit(":", 1)
        lines.append(
            f"(e=$(timeout {2 * _CONNECT_LIMIT_S} nc -w {_CONNECT_LIMIT_S} {host} {port} </dev/null 2>&1 >/dev/null); "
            f'case "$?:$e" in 0:*|124:*|137:*|143:*|*efused*) echo {target};; esac) &'
        )
    return "\n".join([*lines, "wait", f"echo {_COMPLETE}"])

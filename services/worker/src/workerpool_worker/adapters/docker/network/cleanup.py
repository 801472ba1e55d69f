"""Remove networks of apps that no worker of this host uses, with their firewall rules."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from docker import errors
from workerpool_kit.logs import get_logger

from workerpool_worker.adapters.docker.connection import DockerConnection
from workerpool_worker.adapters.docker.sandboxes import remove_idle
from workerpool_worker.adapters.nftables import remove_tables
from workerpool_worker.adapters.shared_use import SharedUse
from workerpool_worker.domain.containers.app_network import table_of
from workerpool_worker.errors import EngineFailure

log = get_logger()

NETWORK_LABEL, APPS = "workerpool.network", "apps"


async def remove_network(connection: DockerConnection, name: str) -> bool:
    """Remove a network and its idle sandboxes unless another container uses it. Return whether it is gone."""

    def remove(api: Any) -> bool:
        remove_idle(api, {"network": name})
        if api.containers(all=True, filters={"network": name}):
            return False
        with suppress(errors.NotFound):
            api.remove_network(name)
        return True

    try:
        return await connection.call(remove)
    except EngineFailure as problem:
        log.warning("network.removal_failed", network=name, error=str(problem))
        return False


async def remove_unused_networks(
    connection: DockerConnection, folder: Path, kept: str, *, label: str = APPS
) -> None:
    """Remove the networks that killed workers of this host left, except `kept`.

    `folder` holds the locks of every worker whose networks bear `label`. Raises `EngineFailure` or OSError.
    """
    found = await connection.call(lambda api: api.networks(filters={"label": f"{NETWORK_LABEL}={label}"}))
    for name in {str(network["Name"]) for network in found} - {kept}:
        use = SharedUse(folder, name)
        with suppress(BlockingIOError):
            async with use.changing(wait=False):
                use.join()
                if use.leave() and await remove_network(connection, name):
                    await remove_tables(table_of(name))
                    log.info("network.removed", network=name)

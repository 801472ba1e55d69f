"""Remove the Docker containers and networks of the workers of a devnet."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

WORKER_LABEL = "workerpool.worker"
"""Docker label of every container and network of a worker; its value is the worker's wallet address."""

SANDBOX_LABEL = "workerpool.sandbox"
"""Docker label of the idle containers that own the network namespaces of a worker's apps; its value is the wallet."""


def remove_worker_containers(wallets: Sequence[str]) -> list[str]:
    """Remove the containers and networks of these worker wallets; return their names.

    Does nothing when no Docker engine answers.
    """
    removed: list[str] = []
    if not wallets:
        return removed

    import docker  # half a second of imports: only when there may be containers
    import docker.errors

    try:
        engine = docker.from_env(timeout=20)
    except docker.errors.DockerException:
        return removed
    try:
        for wallet in wallets:
            wanted = {"label": f"{WORKER_LABEL}={wallet}"}
            sandboxes = {"label": f"{SANDBOX_LABEL}={wallet}"}
            containers = engine.containers.list(all=True, filters=wanted, ignore_removed=True)
            containers += engine.containers.list(all=True, filters=sandboxes, ignore_removed=True)
            for container in containers:
                with contextlib.suppress(docker.errors.APIError):  # its worker removed it first
                    container.remove(force=True, v=True)
                    removed.append(container.name)
            for network in engine.networks.list(filters=wanted):
                with contextlib.suppress(docker.errors.APIError):
                    network.remove()
                    removed.append(network.name)
    except (docker.errors.DockerException, OSError):
        return removed  # the engine stopped
    finally:
        engine.close()
    return removed

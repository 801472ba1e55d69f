"""Which sandbox the next app joins, from the engine's list of containers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SANDBOX_LABEL = "workerpool.sandbox"
JOINED = "container:"
"""Prefix of the network mode of a container that joins the namespace of another."""
ENDED = ("exited", "dead")
"""States of a container whose app has ended."""
_LEAVING = "removing"
"""State of a container from the order to remove it on; its app may still run for a moment."""

Container = Mapping[str, Any]
"""A container as the engine's API lists it."""


@dataclass(frozen=True, slots=True)
class SandboxChoice:
    """What to do for the next app."""

    free: str = ""
    """Id of the sandbox to join; empty when none is free."""
    free_soon: bool = False
    """Whether one will be free as soon as the engine has removed the container that joined it."""
    unusable: tuple[str, ...] = ()
    """Ids of sandboxes that no container joins and none can; they are to be removed."""


def choose_sandbox(
    containers: Sequence[Container], worker: str, network: str, reserved: Collection[str]
) -> SandboxChoice:
    """Choose among the sandboxes of a worker.

    Args:
        containers: all containers.
        worker: the value of the label of the worker's sandboxes.
        network: name of the network that a sandbox must be in.
        reserved: ids of sandboxes for which a container is being made.
    """
    used = joined_of(containers)
    staying = _joined(containers, lambda state: state not in (*ENDED, _LEAVING))
    unusable: list[str] = []
    free_soon = False
    for sandbox in containers:
        identity = str(sandbox["Id"])
        if (sandbox["Labels"] or {}).get(SANDBOX_LABEL) != worker or identity in {*reserved, *staying}:
            continue
        can_be_joined = sandbox["State"] == "running" and sandbox["HostConfig"]["NetworkMode"] == network
        if identity in used:
            free_soon = free_soon or can_be_joined
        elif can_be_joined:
            return SandboxChoice(identity, unusable=tuple(unusable))
        else:
            unusable.append(identity)
    return SandboxChoice("", free_soon, tuple(unusable))


def joined_of(containers: Sequence[Container]) -> set[str]:
    """Return the ids of containers whose network a container joins that has not ended."""
    return _joined(containers, lambda state: state not in ENDED)


def _joined(containers: Sequence[Container], wanted: Callable[[str], bool]) -> set[str]:
    return {
        each["HostConfig"]["NetworkMode"].removeprefix(JOINED) for each in containers if wanted(each["State"])
    }

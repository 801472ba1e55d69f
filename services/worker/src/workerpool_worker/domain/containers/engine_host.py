"""The container engine's description of its host, and which of its runtimes can run apps."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

_SHIM_PREFIX = "io.containerd."
_KERNEL_SHARING = ("runc", "crun", "youki", "nvidia", "io.containerd.runc", "io.containerd.runtime.v1")


@dataclass(frozen=True, slots=True)
class EngineHost:
    """The host of an engine: memory in bytes, number of processors, names of its runtimes."""

    memory_bytes: int
    processors: int
    runtimes: frozenset[str]
    default_runtime: str
    """The engine's default runtime; empty if it does not report one."""

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> Self:
        """Return the host from the engine's answer to `info`. Raises KeyError if the memory is missing."""
        return cls(
            int(info["MemTotal"]),
            int(info.get("NCPU") or 1),
            frozenset(info.get("Runtimes") or ()),
            str(info.get("DefaultRuntime") or ""),
        )


def runtime_problem(wanted: str, runtimes: Collection[str]) -> str:
    """Return why an engine with these runtimes cannot run apps with `wanted`; empty if it can.

    An empty `wanted` is the engine's own default. An engine does not list the shims of containerd
    (`io.containerd.kata.v2`): it searches for their program when a container starts.
    """
    if not wanted or wanted in runtimes or wanted.startswith(_SHIM_PREFIX):
        return ""
    return f"the engine has no runtime {wanted}; it has {', '.join(sorted(runtimes)) or 'none that it names'}"


def joins_namespaces(runtime: str) -> bool:
    """Return whether a container of a runtime can join the network namespace of a container of another runtime.

    The runtimes with a kernel (runsc, kata) or a user namespace (sysbox) of their own cannot, or take the addresses of
    the namespace away from its next user.
    """
    return not runtime or runtime.startswith(_KERNEL_SHARING)

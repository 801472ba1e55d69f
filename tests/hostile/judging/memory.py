"""Resident memory of every process: bounded after a warm-up, and given back."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field

from bench.proc import resident_bytes
from workerpool_devnet.devnet import Devnet

_MIB = 1 << 20
_MIN_SAMPLES = 12
_GROWTH_BYTES = 24 * _MIB
"""Growth between the second and the last third of a process's life that is no leak."""
_GROWTH_SHARE = 0.15
_MAX_BYTES = 600 * _MIB
"""Resident memory that no process of the pool may exceed."""


@dataclass
class Memory:
    """Samples by process; a restarted process is a new one."""

    net: Devnet
    samples: dict[tuple[str, int], list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))

    def sample(self) -> None:
        """Read the memory of every running service."""
        for name, service in self.net.services.items():
            if service.process.running:
                try:
                    self.samples[name, service.pid].append((time.monotonic(), resident_bytes(service.pid)))
                except (OSError, ValueError):
                    continue  # it has just ended

    def excesses(self) -> list[str]:
        """Return the processes that grew without bound."""
        found = []
        for (name, pid), samples in self.samples.items():
            sizes = [size for _, size in samples]
            if max(sizes) > _MAX_BYTES:
                found.append(f"{name} (process {pid}) used {max(sizes) / _MIB:.0f} MiB")
            if len(sizes) < _MIN_SAMPLES:
                continue
            third = len(sizes) // 3
            before, after = statistics.median(sizes[third : 2 * third]), statistics.median(sizes[-third:])
            if after - before > max(_GROWTH_BYTES, _GROWTH_SHARE * before):
                found.append(
                    f"{name} (process {pid}) grew from {before / _MIB:.0f} to {after / _MIB:.0f} MiB"
                )
        return found

    def lines(self) -> list[str]:
        """Return one line for each service: its first, highest and last size."""
        lines = []
        for (name, pid), samples in sorted(self.samples.items()):
            sizes = [size / _MIB for _, size in samples]
            minutes = (samples[-1][0] - samples[0][0]) / 60
            lines.append(
                f"  {name:<14} {pid:>8}  {sizes[0]:4.0f} MiB first, {max(sizes):4.0f} highest, {sizes[-1]:4.0f} last "
                f"in {minutes:.1f} min"
            )
        return lines

"""An index of the workers that have a free slot."""

from collections.abc import Callable
from dataclasses import dataclass, field

from workerpool_core.domain.dispatch.hardware import Capability, Requirement


@dataclass(slots=True)
class FreeWorkers:
    """Wallets of workers with a free slot, by capability and stake; the worker that was served last is at the end."""

    _queues: dict[tuple[Capability, bool], dict[str, None]] = field(default_factory=dict)
    _keys: dict[str, tuple[Capability, bool]] = field(default_factory=dict)

    def __contains__(self, wallet: str) -> bool:
        return wallet in self._keys

    def add(self, wallet: str, capability: Capability, *, has_stake: bool = False) -> None:
        """Queue a worker at the end."""
        self.remove(wallet)
        key = self._keys[wallet] = (capability, has_stake)
        self._queues.setdefault(key, {})[wallet] = None
        if len(self._queues) > 1:
            self._queues = dict(
                sorted(self._queues.items(), key=lambda item: (item[0][0].scarcity, item[0][1]))
            )

    def remove(self, wallet: str) -> None:
        """Remove a worker, if it is queued."""
        key = self._keys.pop(wallet, None)
        if key is not None:
            del self._queues[key][wallet]

    def first_for(
        self, requirement: Requirement, suits: Callable[[str], bool], *, with_stake: bool = False
    ) -> str | None:
        """Return the suitable worker that has waited longest among those with the least special hardware.

        `with_stake` skips workers without stake; other tasks go to workers without stake first.
        """
        for (capability, has_stake), queue in self._queues.items():
            if queue and capability.meets(requirement) and (has_stake or not with_stake):
                for wallet in queue:
                    if suits(wallet):
                        return wallet
        return None

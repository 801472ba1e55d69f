"""Registers of planted bugs: each is a mistake that the invariants of a simulation must catch."""

from collections.abc import Callable
from typing import Generic, TypeVar

import pytest

Setting = TypeVar("Setting")
Plant = Callable[[pytest.MonkeyPatch], None]


class PlantedBugs(Generic[Setting]):
    """The planted bugs of one simulation, whose seeds differ in their setting."""

    def __init__(self) -> None:
        self.plants: dict[str, Plant] = {}
        self._needs: dict[str, Callable[[Setting], bool]] = {}

    def bug(self, plant: Plant) -> Plant:
        """Register a planted bug under its name; its docstring describes the mistake."""
        self.plants[plant.__name__] = plant
        return plant

    def seen_with(self, needs: Callable[[Setting], bool]) -> Callable[[Plant], Plant]:
        """Run only the seeds in which a bug can show; drawing a seed's setting costs little, running it much."""

        def register(plant: Plant) -> Plant:
            self._needs[plant.__name__] = needs
            return plant

        return register

    def may_show(self, plant: Plant, setting: Setting) -> bool:
        """Return whether a planted bug can show in a seed with this setting."""
        needs = self._needs.get(plant.__name__)
        return needs is None or needs(setting)
